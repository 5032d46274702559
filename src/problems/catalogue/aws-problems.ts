import type { ProblemKind } from './problem-kind.ts';

/** What AWS says no to, or leaves unsaid. */
export const awsProblems = {
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
      'Let the owner of the gateway add the action to the role: logs:CreateExportTask, logs:DescribeExportTasks, logs:CancelExportTask, logs:DescribeLogGroups (see the README, Deploying).',
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
      'POST /export-jobs waits its turn for you. Or wait until that task has finished (GET /export-tasks/{taskId} shows it), then send the request again.',
    isRetryable: true,
    retryAfterSeconds: 15,
  },
  'aws-throttled': {
    status: 429,
    title: 'AWS is limiting the rate of calls',
    explanation:
      'CloudWatch Logs takes five calls a second of each export operation per account and Region, from everybody together, and more were sent. Others use the quota too: aws-call-budget-exhausted is the limit of the gateway itself. The call had no effect.',
    remedy: 'Send the request again after Retry-After seconds.',
    isRetryable: true,
    retryAfterSeconds: 2,
  },
  'aws-call-budget-exhausted': {
    status: 429,
    title: 'No calls to AWS left for now',
    explanation:
      'The gateway keeps below the rate limit that AWS has for each account and Region: it sends AWS_CALLS_PER_SECOND calls a second for a target. Those of export jobs go first, then creates and cancels, then reads; callers take turns. This request would have waited too long. AWS was not asked, and nothing was created or cancelled.',
    remedy:
      'Send the request again after Retry-After seconds. Ask less often for tasks that are not among the newest 50, or create an export job and follow that: its state needs no call to AWS.',
    isRetryable: true,
    retryAfterSeconds: 2,
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
      'CreateExportTask was sent. Its answer was lost, or does not tell whether the task was created, as a 5xx. AWS does not list the task, but it may do so later. CreateExportTask is not idempotent: sent again now, it could run the export twice.',
    remedy:
      'Look at GET /export-tasks until two minutes have passed. If no task with your values has appeared, send the request again.',
    isRetryable: false,
  },
} as const satisfies Record<string, ProblemKind>;
