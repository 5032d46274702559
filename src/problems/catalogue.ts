/** What a kind of problem is, in words for the caller. Nothing here depends on one request. */
export interface ProblemKind {
  /** HTTP status the problem is answered with. */
  readonly status: number;
  readonly title: string;
  /** What happened and why, for somebody who meets it for the first time. */
  readonly explanation: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Whether the same request, sent again later, may succeed. */
  readonly isRetryable: boolean;
  /** Seconds to wait before trying again, sent as `Retry-After`. Every 429 and 503 has it. */
  readonly retryAfterSeconds?: number;
}

/** Every way the service says no: slug → what it means. The slug is the last part of a problem's `type`. */
export const catalogue = {
  'malformed-request': {
    status: 400,
    title: 'The bytes received are not an HTTP request',
    explanation:
      'The request could not be read as HTTP/1.1: a broken request line, header or chunk, or an undecodable URL.',
    remedy: 'Send the request with an HTTP client library, and percent-encode the URL.',
    isRetryable: false,
  },
  'malformed-body': {
    status: 400,
    title: 'The body is not JSON',
    explanation:
      'The body must be one JSON text (RFC 8259) in UTF-8. The members "__proto__" and "constructor.prototype" are refused.',
    remedy: 'Send well-formed JSON in UTF-8.',
    isRetryable: false,
  },
  'invalid-request': {
    status: 400,
    title: 'The request breaks a rule of this operation',
    explanation:
      'One or more members of the body, the query or the path are not as the operation needs them. errors[] has one entry for each, with a JSON pointer and what would be right. Nothing was sent to AWS.',
    remedy: 'Correct what errors[] names and send the request again.',
    isRetryable: false,
  },
  'invalid-parameter': {
    status: 400,
    title: 'AWS refused a parameter',
    explanation:
      'CloudWatch Logs answered InvalidParameterException (or ValidationException): a value is well-formed but not acceptable, for example an expired nextToken.',
    remedy: 'Read detail, correct the value and send the request again.',
    isRetryable: false,
  },
  'destination-not-found': {
    status: 400,
    title: 'The destination bucket does not exist',
    explanation:
      'CloudWatch Logs found no S3 bucket of that name. destination is a bucket name, not an ARN or URL, and the bucket must be in the Region of the log group.',
    remedy: 'Create the bucket in the Region of the target, or correct destination.',
    isRetryable: false,
  },
  'service-role-not-permitted': {
    status: 403,
    title: 'The service role may not do this',
    explanation:
      'AWS denied the call to the role this gateway works under. The caller of the gateway cannot mend that.',
    remedy:
      'Let the owner of the gateway add the action to the role: logs:CreateExportTask, logs:DescribeExportTasks, logs:CancelExportTask (see the README, Deploying).',
    isRetryable: false,
  },
  'no-such-route': {
    status: 404,
    title: 'There is nothing at this URL',
    explanation: 'No operation of this service has this path.',
    remedy: 'See GET /openapi.json or /docs for the operations there are.',
    isRetryable: false,
  },
  'log-group-not-found': {
    status: 404,
    title: 'The log group does not exist',
    explanation:
      'CloudWatch Logs knows no log group of that name in the account and Region of the target.',
    remedy: 'Check logGroupName (it is case-sensitive) and ?target=.',
    isRetryable: false,
  },
  'export-task-not-found': {
    status: 404,
    title: 'The export task does not exist',
    explanation:
      'CloudWatch Logs knows no export task of that id in the account and Region of the target. AWS forgets finished tasks after a while.',
    remedy: 'Check the id and ?target=; GET /export-tasks lists the tasks AWS still knows.',
    isRetryable: false,
  },
  'target-not-found': {
    status: 404,
    title: 'There is no such target',
    explanation: 'A target is an AWS account and Region this gateway is configured for.',
    remedy: 'Use a name that GET /targets lists, or leave ?target= out for the first.',
    isRetryable: false,
  },
  'problem-not-found': {
    status: 404,
    title: 'There is no such problem',
    explanation: 'The catalogue of problems has no entry of that name.',
    remedy: 'See GET /problems for all of them.',
    isRetryable: false,
  },
  'method-not-allowed': {
    status: 405,
    title: 'This URL does not take this method',
    explanation: 'There is an operation at this URL, but under another HTTP method.',
    remedy: 'Use a method that the Allow header lists.',
    isRetryable: false,
  },
  'not-acceptable': {
    status: 406,
    title: 'No representation fits the Accept header',
    explanation:
      'Operations answer application/json, problems application/problem+json; the catalogue of problems also text/html.',
    remedy: 'Send Accept: application/json, or none.',
    isRetryable: false,
  },
  'request-timeout': {
    status: 408,
    title: 'The request did not arrive in time',
    explanation:
      'Headers must be complete within 5 seconds and the whole request within 10 seconds.',
    remedy: 'Send the request again, without pauses.',
    isRetryable: true,
  },
  'export-task-already-finished': {
    status: 409,
    title: 'The export task has already finished',
    explanation:
      'Only a task that is PENDING or RUNNING can be cancelled. exportTask shows how it ended.',
    remedy: 'Nothing is left to cancel.',
    isRetryable: false,
  },
  'resource-already-exists': {
    status: 409,
    title: 'AWS says that this already exists',
    explanation: 'CloudWatch Logs answered ResourceAlreadyExistsException.',
    remedy: 'Look at GET /export-tasks for the task that is there.',
    isRetryable: false,
  },
  'operation-aborted': {
    status: 409,
    title: 'Another operation was under way on the same resource',
    explanation:
      'CloudWatch Logs answered OperationAbortedException: several requests touched one resource at once.',
    remedy: 'Send the request again after a moment.',
    isRetryable: true,
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    explanation: 'A body may have at most 16,384 bytes; every lawful request fits.',
    remedy: 'Send a smaller body.',
    isRetryable: false,
  },
  'url-too-long': {
    status: 414,
    title: 'The URL is too long',
    explanation: 'Path and query together may have at most 4,096 bytes.',
    remedy: 'Send a shorter URL.',
    isRetryable: false,
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body has a type this service does not read',
    explanation: 'Bodies are application/json in UTF-8, without a content coding such as gzip.',
    remedy: 'Send Content-Type: application/json, and no Content-Encoding.',
    isRetryable: false,
  },
  'expectation-failed': {
    status: 417,
    title: 'The Expect header cannot be met',
    explanation: 'The only expectation this service meets is 100-continue.',
    remedy: 'Leave the Expect header out.',
    isRetryable: false,
  },
  'destination-not-writable': {
    status: 422,
    title: 'CloudWatch Logs may not write to the bucket',
    explanation:
      'An export is written by the CloudWatch Logs service itself, so the bucket policy must let it call s3:GetBucketAcl and s3:PutObject, the service role needs s3:PutObject, and a KMS key of the bucket must let both use it.',
    remedy:
      'Attach the statements of bucketPolicy to the bucket; check s3:PutObject for the service role, and the key policy if the bucket uses SSE-KMS.',
    isRetryable: false,
  },
  'export-slot-taken': {
    status: 429,
    title: 'Another export task is active',
    explanation:
      'AWS runs one export task at a time per account and Region, whoever started it. slotHolder says which one it is, where AWS shows it. Nothing was created.',
    remedy:
      'Wait until that task has finished (GET /export-tasks/{taskId} shows it), then send the request again.',
    isRetryable: true,
    retryAfterSeconds: 15,
  },
  'aws-throttled': {
    status: 429,
    title: 'AWS is limiting the rate of calls',
    explanation:
      'CloudWatch Logs takes five calls a second of each export operation per account and Region, from everybody together. The call had no effect.',
    remedy: 'Send the request again after Retry-After seconds.',
    isRetryable: true,
    retryAfterSeconds: 2,
  },
  'headers-too-large': {
    status: 431,
    title: 'The headers are too large',
    explanation: 'Request line and headers together may have at most 8,192 bytes.',
    remedy: 'Send fewer or smaller headers.',
    isRetryable: false,
  },
  'internal-error': {
    status: 500,
    title: 'The gateway has a defect',
    explanation:
      'Something failed that should not have. The log line with the request id has the cause.',
    remedy: 'Report it with the value of instance.',
    isRetryable: false,
  },
  'service-role-unusable': {
    status: 502,
    title: 'The gateway has no working AWS credentials',
    explanation:
      'The credentials of the service role are missing, expired, wrong, or the clock of the gateway is off. AWS refused the call before it had any effect.',
    remedy:
      'Try again after a moment: expired credentials are renewed. If it stays, the owner of the gateway finds the cause in its log.',
    isRetryable: true,
  },
  'aws-unexpected': {
    status: 502,
    title: 'AWS answered something unexpected',
    explanation:
      'The answer of CloudWatch Logs is not one this service knows for this operation. It is logged whole.',
    remedy: 'Report it with the value of instance.',
    isRetryable: false,
  },
  'aws-unavailable': {
    status: 503,
    title: 'CloudWatch Logs is not available',
    explanation:
      'AWS could not be reached, or answered that it cannot serve the call now. Where this is said of a create, nothing was sent.',
    remedy: 'Send the request again after Retry-After seconds.',
    isRetryable: true,
    retryAfterSeconds: 5,
  },
  'not-ready': {
    status: 503,
    title: 'The gateway is not ready',
    explanation:
      'It is starting (the account of every target is being checked with STS), or it is about to stop. detail says which.',
    remedy: 'Ask again after Retry-After seconds, or ask another replica.',
    isRetryable: true,
    retryAfterSeconds: 2,
  },
  'aws-timeout': {
    status: 504,
    title: 'AWS did not answer in time',
    explanation:
      'CloudWatch Logs took longer than the gateway waits. The call may be repeated safely.',
    remedy: 'Send the request again.',
    isRetryable: true,
  },
  'outcome-unknown': {
    status: 504,
    title: 'It is not known whether the export task was created',
    explanation:
      'CreateExportTask was sent, no usable answer came back, and AWS does not list such a task (yet). CreateExportTask is not idempotent: sent again now, it could run the export twice.',
    remedy:
      'Look at GET /export-tasks until two minutes have passed. If no task with your values has appeared, send the request again.',
    isRetryable: false,
  },
} as const satisfies Record<string, ProblemKind>;

/** Name of a kind of problem. */
export type ProblemSlug = keyof typeof catalogue;

/** The kind of a slug; `undefined` when there is none (own members only, so "constructor" is none). */
export function findProblemKind(slug: string): ProblemKind | undefined {
  return Object.hasOwn(catalogue, slug) ? catalogue[slug as ProblemSlug] : undefined;
}
