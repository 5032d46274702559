import { catalogue, type ProblemSlug } from '../catalogue.ts';
import { Problem, type ProblemMembers, toProblemBody } from '../problem.ts';

const requestId = '0191d2f0-7a57-4d0c-9d57-0d1a3f5d9a11';
const awsRequestId = '5f1b1a3e-3c1d-4a50-8f5e-2f0f8c7d6b21';
const runningTask = {
  taskId: '8d4e2b90-1f53-4c7e-b1a6-5a0c9f3e7d22',
  taskName: 'billing-2024-05-01',
  logGroupName: '/demo/billing',
};
const completedTask = { ...runningTask, status: { code: 'COMPLETED' } };

/** What a case of each problem says, beyond its kind. */
const cases: Record<ProblemSlug, readonly [detail: string, members?: ProblemMembers]> = {
  'malformed-request': ['The request must have one Host header, but has 2.'],
  'malformed-body': ['The body is not well-formed JSON: the error is at character 17.'],
  'invalid-request': [
    'The request breaks 2 rules.',
    {
      errors: [
        {
          in: 'body',
          pointer: '#/from',
          detail:
            'must be an integer from 0 to 1152921504606846976, in digits alone (no quotes, sign, fraction or exponent), but is "yesterday"',
        },
        {
          in: 'body',
          pointer: '#/destination',
          detail:
            'is missing; it must be the name of an S3 bucket, 1 to 512 characters, without :, / and white space',
        },
      ],
    },
  ],
  'no-such-route': ['No operation has this path.'],
  'target-not-found': ['No target with this name exists, or you are not allowed to see it.'],
  'target-misconfigured': [
    'The credentials of this target belong to another account than the configured one.',
  ],
  'problem-not-found': ['The catalogue has no problem with this name.'],
  'method-not-allowed': ['This path allows GET, POST.'],
  'not-acceptable': ['This operation answers with application/json.'],
  'request-timeout': ['The request was not complete in time.'],
  'body-too-large': ['The body has more than 65,536 bytes.'],
  'url-too-long': ['The URL has 5,120 bytes. The limit is 4,096.'],
  'unsupported-media-type': ['The body has a content coding such as gzip.'],
  'expectation-failed': ['The Expect header has a value other than 100-continue.'],
  'host-not-allowed': ['The name in the Host header is not allowed.'],
  'origin-not-allowed': ['CORS_ORIGINS does not include the origin of this request.'],
  'headers-too-large': ['Request line and headers have more than 8,192 bytes.'],
  'internal-error': ['The service failed on this request because of a defect.'],
  'not-ready': ['The service is stopping.'],
  unauthenticated: ['The request has no credentials.'],
  'not-permitted': [
    'No policy permits you to use the action CreateExportTask with logGroupName "/demo/checkout", target "production", destination "demo-log-archive".',
  ],
  'rate-limited': ['You have sent 120 creates in 60 seconds, which is the limit.'],
  'too-many-bodies': ['With this body, you would have more than 1,048,576 bytes in flight.'],
  overloaded: ['The service has too many requests in progress, or it answers too slowly.'],
  'invalid-parameter': [
    'AWS says: The specified nextToken is invalid.',
    { awsErrorCode: 'InvalidParameterException', awsRequestId },
  ],
  'destination-not-found': [
    'AWS says: The given bucket does not exist. Please provide a valid bucket name.',
    { awsErrorCode: 'InvalidParameterException', awsRequestId },
  ],
  'service-role-not-permitted': [
    'AWS denied this action to the service role of the target.',
    { awsErrorCode: 'AccessDeniedException', awsRequestId },
  ],
  'log-group-not-found': [
    'AWS says: The specified log group does not exist.',
    { awsErrorCode: 'ResourceNotFoundException', awsRequestId },
  ],
  'export-task-not-found': ['AWS lists no export task with this id.'],
  'export-task-already-finished': [
    'The export task is COMPLETED.',
    {
      awsErrorCode: 'InvalidOperationException',
      awsRequestId,
      exportTask: completedTask,
    },
  ],
  'resource-already-exists': [
    'AWS says: The specified resource already exists.',
    { awsErrorCode: 'ResourceAlreadyExistsException', awsRequestId },
  ],
  'operation-aborted': [
    'AWS says: Multiple requests to update the same resource were in conflict.',
    { awsErrorCode: 'OperationAbortedException', awsRequestId },
  ],
  'destination-not-writable': [
    'AWS says: GetBucketAcl call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this operation.',
    {
      awsErrorCode: 'AccessDeniedException',
      awsRequestId,
      bucketPolicy: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'logs.eu-west-1.amazonaws.com' },
            Action: 's3:GetBucketAcl',
            Resource: 'arn:aws:s3:::demo-log-archive',
          },
          {
            Effect: 'Allow',
            Principal: { Service: 'logs.eu-west-1.amazonaws.com' },
            Action: 's3:PutObject',
            Resource: 'arn:aws:s3:::demo-log-archive/*',
          },
        ],
      },
    },
  ],
  'export-slot-taken': [
    `Export task ${runningTask.taskId} of log group ${runningTask.logGroupName} holds the slot. It was created at 2024-05-02T00:00:00.000Z.`,
    {
      awsErrorCode: 'LimitExceededException',
      awsRequestId,
      slotHolder: { ...runningTask, status: 'RUNNING', since: '2024-05-02T00:00:00.000Z' },
    },
  ],
  'aws-throttled': [
    'AWS refused the call because of its rate limit.',
    { awsErrorCode: 'ThrottlingException', awsRequestId },
  ],
  'aws-call-budget-exhausted': ['The calls before yours take at least 3 s. AWS was not called.'],
  'service-role-unusable': [
    'The credentials of the service role are missing, or AWS does not accept them.',
  ],
  'aws-unexpected': ['AWS answered 400 with an unknown error.', { awsRequestId }],
  'aws-unavailable': ['This service could not reach AWS. Nothing was sent.'],
  'aws-timeout': ['AWS did not answer within the time limit.'],
  'outcome-unknown': [
    'CreateExportTask was sent and its answer was lost. AWS does not list the task yet, but it may still appear.',
  ],
  'export-job-not-found': ['No export job that you may see has this id.'],
  'export-job-deleted': ['This job was deleted at 2024-08-02T00:00:00.000Z.'],
  'idempotency-key-reused': ['This key was used before with a different body or target.'],
  'export-job-cancelled': ['The cancel of this job was requested at 2024-05-02T00:00:00.000Z.'],
  'export-job-of-archive': [
    'This job exports a partition of the archive 018f3b1e-7c5d-7d2a-9b7e-3f1a2b4c5d6e.',
  ],
  'no-log-groups': ['No log group begins with /demo/.'],
  'too-many-slices': [
    'The job would have 17,520 slices (2 log groups × 8,760 intervals). The limit is 10,000. With sliceBy "day" it has 730.',
  ],
  'too-many-waiting-slices': [
    'You have 99,990 waiting slices. With 24 more you would exceed the limit of 100,000.',
  ],
  'export-task-failed': ['AWS gave no reason.'],
  'export-task-too-long': ['The task did not complete within 23.5 hours, so it was cancelled.'],
  'export-task-differs': [
    `AWS lists task ${runningTask.taskId} with the name of this attempt, but it exports something else.`,
  ],
  'export-task-cancelled': ['The task is CANCELLED, but this job did not cancel it.'],
  'export-incomplete': ['AWS exported no objects, but the log group has log events.'],
  'export-task-vanished': [`AWS does not list task ${runningTask.taskId}.`],
  'too-many-watchers': ['You have 100 event streams open, which is the limit.'],
  'too-many-streams': ['This process has 1,000 event streams open, which is the limit.'],
  'archive-not-found': ['No archive that you may see has this id.'],
  'archive-impossible': [
    'Log group /demo/checkout keeps its log events for 1 day, which are 24 hours. With `partitionBy` day they must be kept for more than 37 hours. The longest unit that fits is hour.',
  ],
  'archive-overload': [
    'This archive has 2,400 exports a day of 60 seconds each: 167 % of the time of the slot. The seconds are an assumption, because the target has no completed export yet. All archives of the target together take 167 %.',
  ],
  'archive-ended': ['This archive was ended at 2024-08-02T00:00:00.000Z.'],
  'too-many-backfills': ['This archive has had 1,000 backfills.'],
  'too-many-waivers': ['This archive has 1,000 waivers.'],
  'nothing-to-waive': ['Log group /demo/checkout has no time to waive in this time range.'],
  'precondition-failed': ['The archive was changed since the answer with this ETag.'],
  'precondition-required': ['The request has no If-Match header.'],
  'webhook-endpoint-not-found': ['No webhook endpoint of yours has this id.'],
  'webhook-delivery-not-found': ['No delivery of this webhook endpoint has this event.'],
  'webhook-endpoint-disabled': ['This webhook endpoint is disabled.'],
  'webhook-url-not-allowed': [
    '`url` must have a public address, unless the operator allows its origin with WEBHOOK_ORIGINS.',
  ],
  'too-many-webhook-endpoints': ['You have 10 webhook endpoints, which is the limit.'],
  'too-many-archives': ['You have 100 archives that have not ended, which is the limit.'],
  'database-unavailable': ['This service cannot reach the database.'],
};

/** An example of every problem, by slug, as OpenAPI wants examples. */
export const problemExamples = Object.fromEntries(
  (Object.keys(catalogue) as ProblemSlug[]).map((slug) => {
    const problem = new Problem(slug, ...cases[slug]);
    return [slug, { summary: problem.kind.title, value: toProblemBody(problem, requestId, '') }];
  }),
);
