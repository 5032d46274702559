import { problemNameOf } from '../connection/refused-request.ts';
import type { ProblemDocument } from '../documents.ts';

const requestId = /^urn:uuid:/;

/** The lines about an error answer: what happened, what to do, and what an operator needs to find it in the log. */
export function problemLines(problem: ProblemDocument): string[] {
  const { title, status, detail, remedy, errors = [], bucketPolicy } = problem;
  const { instance, awsErrorCode, awsRequestId } = problem;
  const slug = problemNameOf(problem);
  return [
    `log-export: ${title} (${status} ${slug})`,
    detail,
    ...errors.map((each) => `  ${each.in} ${each.pointer}: ${each.detail}`),
    ...(remedy ? [`Remedy: ${remedy}`] : []),
    ...(bucketPolicy ? ['Bucket policy:', ...documentLines(bucketPolicy)] : []),
    ...(awsErrorCode ? [`AWS error: ${awsErrorCode}`] : []),
    ...(awsRequestId ? [`AWS request id: ${awsRequestId}`] : []),
    ...(instance ? [`Request id: ${instance.replace(requestId, '')}`] : []),
    `More: log-export problems ${slug}`,
  ];
}

/** The lines of a document to copy, such as a bucket policy. */
export const documentLines = (document: unknown): string[] =>
  JSON.stringify(document, null, 2).split('\n');
