import { problemNameOf, type RefusedRequest } from '../connection/refused-request.ts';
import type { ProblemDocument } from '../documents.ts';

const requestId = /^urn:uuid:/;

/** The commands of operations, by the end of their paths: a base path can be in front. */
const commands: readonly [operation: RegExp, command: string][] = [
  [/^POST .*\/export-jobs\/\{jobId\}\/retry$/, 'retry <job id>'],
  [/^POST .*\/export-jobs\/\{jobId\}\/cancel$/, 'cancel <job id>'],
  [/^GET .*\/export-jobs\/\{jobId\}$/, 'show <job id>'],
  [/^GET .*\/export-jobs$/, 'jobs'],
  [/^GET .*\/export-jobs\?caller=\*$/, "jobs --caller '*'"],
  [/^POST .*\/export-jobs$/, 'run'],
  [/^POST .*\/preflights$/, 'preflight'],
  [/^GET .*\/archives$/, 'archives'],
  [/^GET .*\/archives\?caller=\*$/, "archives --caller '*'"],
  [/^GET .*\/targets$/, 'targets'],
  [/^GET .*\/problems$/, 'problems'],
];

/** Adds to each operation in a remedy its command, if there is one: remedies are written for clients of the API. */
export const remedyText = (remedy: string, commandName: string): string =>
  remedy.replaceAll(/\b(?:GET|POST) \/[\w/{}?=*-]+/g, (operation) => {
    const [, command] = commands.find(([pattern]) => pattern.test(operation)) ?? [];
    return command === undefined ? operation : `${operation} (${commandName} ${command})`;
  });

/** What to do about a problem at the command line. The remedy is for clients of the API. */
const hints: Readonly<Record<string, string>> = {
  unauthenticated:
    'Set LOG_EXPORT_TOKEN_FILE to a file with a valid token, or LOG_EXPORT_API_KEY_FILE to a file with an API key. WWW-Authenticate names what the gateway accepts: Bearer is a token, ApiKey is an API key.',
  'no-such-route':
    'Check the base path in LOG_EXPORT_URL. If it is right, the operator has disabled this operation.',
};

/** The lines about an error answer: what happened, what to do, and what an operator needs to find it in the log. */
export function problemLines(
  { problem, challenge }: RefusedRequest,
  commandName: string,
): string[] {
  const { title, status, detail, errors = [], bucketPolicy } = problem;
  const { instance, awsErrorCode, awsRequestId } = problem;
  const slug = problemNameOf(problem);
  return [
    `log-export: ${title} (${status} ${slug})`,
    detail,
    ...errors.map((each) => `  ${each.in} ${each.pointer}: ${each.detail}`),
    ...remediesOf(problem, commandName).map((remedy) => `Remedy: ${remedy}`),
    ...(challenge ? [`WWW-Authenticate: ${challenge}`] : []),
    ...(bucketPolicy ? ['Bucket policy:', ...documentLines(bucketPolicy)] : []),
    ...(awsErrorCode ? [`AWS error: ${awsErrorCode}`] : []),
    ...(awsRequestId ? [`AWS request id: ${awsRequestId}`] : []),
    ...(instance ? [`Request id: ${instance.replace(requestId, '')}`] : []),
    `More: ${commandName} problems ${slug}`,
  ];
}

function remediesOf(problem: ProblemDocument, commandName: string): string[] {
  const name = problemNameOf(problem);
  if (Object.hasOwn(hints, name)) return [hints[name] ?? ''];
  return problem.remedy ? [remedyText(problem.remedy, commandName)] : [];
}

/** The lines of a document to copy, such as a bucket policy. */
export const documentLines = (document: unknown): string[] =>
  JSON.stringify(document, null, 2).split('\n');
