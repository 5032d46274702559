import type { ProblemSlug } from '#problems/catalogue.ts';
import { Problem, type ProblemMembers } from '#problems/problem.ts';
import { isUnsent } from './client/unsent-calls.ts';
import { errorMeanings, type Meaning, type MeaningfulCall } from './error-table.ts';

interface AwsError {
  name?: string;
  message?: string;
  code?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string; attempts?: number };
}

/** The row for an error of an operation; `undefined` when no row matches. */
export function meaningOf(operation: MeaningfulCall, error: unknown): Meaning | undefined {
  const { name, message = '' } = error as AwsError;
  return errorMeanings.find(
    (row) =>
      row.code === name &&
      row.problems[operation] !== undefined &&
      (row.message === undefined || row.message.test(withoutArns(message))), // a log group may be named kms
  );
}

/** Whether it is certain that the call never reached AWS. */
export function isNotSent(error: unknown): boolean {
  const { $metadata } = error as AwsError;
  return $metadata?.httpStatusCode === undefined && isUnsent(error);
}

/** Whether a call got no answer in time. The SDK names a reset TimeoutError, too. */
export function isTimeout(error: unknown): boolean {
  const { name, code } = error as AwsError;
  return (name === 'TimeoutError' && !isReset(code)) || name === 'AbortError';
}

const isReset = (code: string | undefined) => code === 'ECONNRESET' || code === 'EPIPE';

/** Whether AWS answered that the resource does not exist. */
export function isNotFound(error: unknown): error is Error & { $metadata: object } {
  const { name, $metadata } = error as AwsError;
  return name === 'ResourceNotFoundException' && $metadata !== undefined;
}

/** Whether AWS refused the credentials, so that new ones may help. */
export function isRefusedForCredentials(error: unknown): boolean {
  const { $metadata } = error as AwsError;
  return (
    $metadata?.httpStatusCode !== undefined &&
    meaningOf('DescribeExportTasks', error)?.problems.DescribeExportTasks ===
      'service-role-unusable'
  );
}

/** Whether AWS has refused a call of any operation because of its rate limit. */
export function isThrottling(error: unknown): boolean {
  const { $metadata } = error as AwsError;
  const meaning = meaningOf('CreateExportTask', error)?.problems.CreateExportTask;
  return meaning === 'aws-throttled' || $metadata?.httpStatusCode === 429;
}

/** Translates a failed call into a problem. The error is its `cause`, which is never shown. */
export function toAwsProblem(operation: MeaningfulCall, error: unknown): Problem {
  const { name, message = '', code, $metadata } = error as AwsError;
  const status = $metadata?.httpStatusCode;
  const members: ProblemMembers = {
    cause: error,
    ...(status !== undefined && status >= 400 && name !== undefined && { awsErrorCode: name }),
    ...($metadata?.requestId !== undefined && { awsRequestId: $metadata.requestId }),
  };
  const row = meaningOf(operation, error);
  const slug = row?.problems[operation];
  if (row && slug) {
    const detail = row.isMessagePublic ? quoteAws(message) : detailOf(slug);
    return new Problem(slug, detail, members);
  }
  if (status === 429) return new Problem('aws-throttled', detailOf('aws-throttled'), members);
  if (status !== undefined && status >= 500) {
    return new Problem('aws-unavailable', `${nameOf(operation)} answered ${status}.`, members);
  }
  if (status !== undefined && status >= 400) {
    return new Problem('aws-unexpected', `AWS answered ${status} with an unknown error.`, members);
  }
  if (isNotSent(error)) {
    return new Problem(
      'aws-unavailable',
      `This service could not reach ${nameOf(operation)}. Nothing was sent.`,
      members,
    );
  }
  if (isTimeout(error)) {
    const detail = `${nameOf(operation)} did not answer within the time limit.`;
    return new Problem('aws-timeout', detail, members);
  }
  if (status === undefined || isReset(code)) {
    const detail = `The connection to ${nameOf(operation)} was lost.`;
    return new Problem('aws-unavailable', detail, members);
  }
  return new Problem(
    'aws-unexpected',
    `AWS answered ${status} with a body in an unknown format.`,
    members,
  );
}

/**
 * The code and the message of the error that a problem was made of. The message is AWS's own if it is about the
 * values of the caller. `undefined` if AWS did not answer.
 */
export function publicErrorOf(
  operation: MeaningfulCall,
  { cause, detail }: Problem,
): { code: string; message: string } | undefined {
  const { name, message = '', $metadata } = (cause ?? {}) as AwsError;
  if (name === undefined || $metadata?.httpStatusCode === undefined) return undefined;
  const isPublic = meaningOf(operation, cause)?.isMessagePublic;
  return { code: name, message: isPublic ? withoutArns(message) : detail };
}

/** The service that was called. A failure of an operation of CloudWatch Logs may come from STS. */
const nameOf = (operation: MeaningfulCall) =>
  ['S3', 'KMS', 'SNS', 'EventBridge'].includes(operation) ? operation : 'AWS';

// Fixed texts where the message of AWS names the role, its account or its credentials.
const details: Partial<Record<ProblemSlug, string>> = {
  'export-slot-taken': 'Another export task is RUNNING or PENDING in this account and Region.',
  'aws-throttled': 'AWS refused the call because of its rate limit.',
  'service-role-not-permitted': 'AWS denied this action to the service role of the target.',
  'service-role-unusable':
    'The credentials of the service role are missing, or AWS does not accept them.',
  'aws-unavailable': 'AWS is unavailable now.',
};

function detailOf(slug: ProblemSlug): string {
  return details[slug] ?? 'AWS gave no reason.';
}

/** Quotes AWS as a sentence, so that another one can follow. */
export function quoteAws(message: string): string {
  const text = withoutArns(message);
  return `AWS says: ${text}${/[.!?]$/.test(text) ? '' : '.'}`;
}

/** A text of AWS without ARNs: even a message about the caller's values may contain one. */
export function withoutArns(text: string): string {
  return text.replace(/\barn:[^\s"',]+/g, 'an ARN').slice(0, 1_000);
}
