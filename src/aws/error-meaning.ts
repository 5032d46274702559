import type { ProblemSlug } from '#problems/catalogue.ts';
import { Problem, type ProblemMembers } from '#problems/problem.ts';
import { isUnsent } from './client/unsent-calls.ts';

/** The operations of CloudWatch Logs this service calls. */
export type Operation =
  | 'CreateExportTask'
  | 'DescribeExportTasks'
  | 'CancelExportTask'
  | 'DescribeLogGroups';

/** Maps an error of AWS to a problem per operation. The first row that matches applies. */
interface Meaning {
  readonly code: string;
  /** Restricts the row to matching messages: the same text arrives with several codes. */
  readonly message?: RegExp;
  readonly problems: Partial<Record<Operation, ProblemSlug>>;
  /** Whether the message may be shown: it is about the caller's values, not about the role. */
  readonly isMessagePublic?: true;
}

const everywhere = (slug: ProblemSlug) => ({
  CreateExportTask: slug,
  DescribeExportTasks: slug,
  CancelExportTask: slug,
  DescribeLogGroups: slug,
});

const bucketOrKeyPolicy =
  /granted permission to perform this operation|granted s3:PutObject|\bkms\b|key policy/i;
const bucketMissing = /given bucket does not exist/i;

/**
 * The problem for each error of AWS. Codes and messages were recorded against AWS, or are in its service
 * model. A message about a bucket policy came with InvalidParameterException in 2023 and with
 * AccessDeniedException in 2026, so the message decides before the code.
 */
export const errorMeanings: readonly Meaning[] = [
  ...['InvalidParameterException', 'AccessDeniedException'].map((code) => ({
    code,
    message: bucketOrKeyPolicy,
    problems: { CreateExportTask: 'destination-not-writable' } as const,
    isMessagePublic: true as const,
  })),
  {
    code: 'InvalidParameterException',
    message: bucketMissing,
    problems: { CreateExportTask: 'destination-not-found' },
    isMessagePublic: true,
  },
  {
    code: 'InvalidParameterException',
    problems: everywhere('invalid-parameter'),
    isMessagePublic: true,
  },
  { code: 'ValidationException', problems: everywhere('invalid-parameter'), isMessagePublic: true },
  // From STS, about the policy of a scoped session. It is made from the caller's values.
  ...['PackedPolicyTooLargeException', 'MalformedPolicyDocumentException'].map((code) => ({
    code,
    problems: { CreateExportTask: 'invalid-parameter' } as const,
    isMessagePublic: true as const,
  })),
  {
    code: 'ResourceNotFoundException',
    problems: {
      CreateExportTask: 'log-group-not-found',
      CancelExportTask: 'export-task-not-found',
    },
    isMessagePublic: true,
  },
  {
    code: 'ResourceAlreadyExistsException',
    problems: { CreateExportTask: 'resource-already-exists' },
    isMessagePublic: true,
  },
  {
    code: 'OperationAbortedException',
    problems: { CreateExportTask: 'operation-aborted', CancelExportTask: 'operation-aborted' },
    isMessagePublic: true,
  },
  {
    code: 'InvalidOperationException',
    problems: { CancelExportTask: 'export-task-already-finished' },
    isMessagePublic: true,
  },
  {
    code: 'LimitExceededException',
    problems: { ...everywhere('aws-throttled'), CreateExportTask: 'export-slot-taken' },
  },
  { code: 'ThrottlingException', problems: everywhere('aws-throttled') },
  { code: 'Throttling', problems: everywhere('aws-throttled') },
  { code: 'TooManyRequestsException', problems: everywhere('aws-throttled') },
  { code: 'AccessDeniedException', problems: everywhere('service-role-not-permitted') },
  { code: 'AccessDenied', problems: everywhere('service-role-not-permitted') },
  { code: 'ServiceUnavailableException', problems: everywhere('aws-unavailable') },
  ...[
    'UnrecognizedClientException',
    'ExpiredTokenException',
    'ExpiredToken',
    'InvalidSignatureException',
    'SignatureDoesNotMatch',
    'IncompleteSignature',
    'InvalidClientTokenId',
    'MissingAuthenticationToken',
    'MissingAuthenticationTokenException',
    'NotAuthorized',
    'OptInRequired',
    'RequestExpired',
    // From the SDK or credentials.ts, before anything is sent:
    'CredentialsProviderError',
    'CredentialsRefused',
  ].map((code) => ({ code, problems: everywhere('service-role-unusable') })),
  { code: 'CredentialsUnavailable', problems: everywhere('aws-unavailable') },
];

interface AwsError {
  name?: string;
  message?: string;
  code?: string;
  $metadata?: { httpStatusCode?: number; requestId?: string; attempts?: number };
}

/** The row for an error of an operation; `undefined` when no row matches. */
export function meaningOf(operation: Operation, error: unknown): Meaning | undefined {
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
export function toAwsProblem(operation: Operation, error: unknown): Problem {
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
    return new Problem('aws-unavailable', `AWS answered ${status}.`, members);
  }
  if (status !== undefined && status >= 400) {
    return new Problem('aws-unexpected', `AWS answered ${status} with an unknown error.`, members);
  }
  if (isNotSent(error)) {
    return new Problem(
      'aws-unavailable',
      'This service could not reach AWS. Nothing was sent.',
      members,
    );
  }
  if (isTimeout(error)) {
    return new Problem('aws-timeout', 'AWS did not answer within the time limit.', members);
  }
  if (status === undefined || isReset(code)) {
    return new Problem('aws-unavailable', 'The connection to AWS was lost.', members);
  }
  return new Problem(
    'aws-unexpected',
    `AWS answered ${status} with a body in an unknown format.`,
    members,
  );
}

// Fixed texts where the message of AWS names the role, its account or its credentials.
const details: Partial<Record<ProblemSlug, string>> = {
  'export-slot-taken': 'Another export task is RUNNING or PENDING in this account and Region.',
  'aws-throttled': 'AWS refused the call because of its rate limit.',
  'service-role-not-permitted': 'AWS denied this action to the service role of the target.',
  'service-role-unusable':
    'The credentials of the service role are missing, or AWS does not accept them.',
  'aws-unavailable': 'CloudWatch Logs or STS is unavailable now.',
};

function detailOf(slug: ProblemSlug): string {
  return details[slug] ?? 'AWS gave no reason.';
}

/** Quotes AWS as a sentence, so that another one can follow. */
export function quoteAws(message: string): string {
  const text = withoutArns(message);
  return `AWS says: ${text}${/[.!?]$/.test(text) ? '' : '.'}`;
}

// Even a message about the caller's values may contain an ARN.
function withoutArns(text: string): string {
  return text.replace(/\barn:[^\s"',]+/g, 'an ARN').slice(0, 1_000);
}
