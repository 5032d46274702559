import { catalogue, type ProblemSlug } from '#problems/catalogue.ts';
import { Problem, type ProblemMembers, toProblemBody } from '#problems/problem.ts';

const requestId = '0191d2f0-7a57-4d0c-9d57-0d1a3f5d9a11';
const awsRequestId = '5f1b1a3e-3c1d-4a50-8f5e-2f0f8c7d6b21';
const runningTask = {
  taskId: '8d4e2b90-1f53-4c7e-b1a6-5a0c9f3e7d22',
  taskName: 'billing-2024-05-01',
  logGroupName: '/demo/billing',
};
const completedTask = { ...runningTask, status: { code: 'COMPLETED' } };

/** What a case of each problem says, beyond its kind. Those not here say what their title says. */
const cases: Partial<Record<ProblemSlug, [detail: string, members?: ProblemMembers]>> = {
  'malformed-body': ['The body is not well-formed JSON: it stops being so at character 17.'],
  'invalid-request': [
    '2 rules are broken; errors[] says which.',
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
          detail: 'is missing; it must be the name of an S3 bucket, 1 to 512 characters',
        },
      ],
    },
  ],
  'invalid-parameter': [
    'The specified nextToken is invalid.',
    { awsErrorCode: 'InvalidParameterException', awsRequestId },
  ],
  'destination-not-found': [
    'The given bucket does not exist. Please provide a valid bucket name.',
    { awsErrorCode: 'InvalidParameterException', awsRequestId },
  ],
  'log-group-not-found': [
    'The specified log group does not exist.',
    { awsErrorCode: 'ResourceNotFoundException', awsRequestId },
  ],
  'export-task-already-finished': [
    'The export task is COMPLETED.',
    {
      awsErrorCode: 'InvalidOperationException',
      awsRequestId,
      exportTask: completedTask,
    },
  ],
  'destination-not-writable': [
    'GetBucketAcl call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this operation.',
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
    `Export task ${runningTask.taskId} of log group ${runningTask.logGroupName} holds the slot since 2024-05-02T00:00:00.000Z.`,
    {
      awsErrorCode: 'LimitExceededException',
      awsRequestId,
      slotHolder: { ...runningTask, status: 'RUNNING', since: '2024-05-02T00:00:00.000Z' },
    },
  ],
};

/** An example of every problem, by slug, as OpenAPI wants examples. */
export const problemExamples = Object.fromEntries(
  Object.entries(catalogue).map(([slug, { title }]) => {
    const [detail, members] = cases[slug as ProblemSlug] ?? [`${title}.`];
    const value = toProblemBody(new Problem(slug as ProblemSlug, detail, members), requestId, '');
    return [slug, { summary: title, value }];
  }),
);
