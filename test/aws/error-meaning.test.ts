import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';

import { meaningOf, quoteAws } from '#aws/error-meaning.ts';
import { errorMeanings, type MeaningfulCall } from '#aws/error-table.ts';
import { catalogue, type ProblemSlug } from '#problems/catalogue.ts';
import { type Problem, toProblemBody } from '#problems/problem.ts';
import { type Answer, createBody, openWorld, region, type World } from '../world.ts';

// The SDK waits for a random part of its back-off before a retry. Here it is always zero.
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0));
afterEach(() => void vi.restoreAllMocks());

type Received = Pick<Answer, 'status' | 'headers' | 'body'>;

const logsOf = (world: World) => world.targets.find(undefined).logs;
const storageOf = (world: World) => world.targets.find(undefined).storage;
const sinksOf = (world: World) => world.targets.find(undefined).sinks;
const message = { id: 'msg_1', type: 'a', at: 0, target: 'default', group: 'job', body: '{}' };
const window = { logGroupName: '/app', from: 0, to: 1 };

const operations: Record<MeaningfulCall, (world: World) => Promise<Received>> = {
  CreateExportTask: (world) => world.call('POST', '/export-tasks', createBody),
  DescribeExportTasks: (world) => world.call('GET', '/export-tasks'),
  CancelExportTask: (world) => world.call('POST', '/export-tasks/some-task/cancel'),
  DescribeLogGroups: (world) => received(logsOf(world).describeLogGroups({})),
  FilterLogEvents: (world) => received(logsOf(world).filterLogEvents({ ...window, limit: 1 })),
  StartQuery: (world) => received(logsOf(world).startQuery({ ...window, queryString: 'x' })),
  GetQueryResults: (world) => received(logsOf(world).readQuery('1')),
  S3: (world) => received(storageOf(world).listObjects({ bucket: 'archive', prefix: '' })),
  KMS: async (world) => {
    const reading = await storageOf(world).readKey('key');
    if (reading.outcome !== 'unknown') throw new Error(`The key is ${reading.outcome}`);
    return received(Promise.reject(reading.problem));
  },
  SNS: (world) => received(sinksOf(world).publish(`arn:aws:sns:${region}:1:jobs`, message)),
  EventBridge: (world) => received(sinksOf(world).putEvent('exports', message)),
};

/** The operation at AWS of which a call makes use. */
const operationOf = (call: MeaningfulCall) =>
  ({ S3: 'ListObjectsV2', KMS: 'DescribeKey', SNS: 'Publish', EventBridge: 'PutEvents' })[
    call as string
  ] ?? call;

/** The failure of a call, in the form in which a caller of the API receives it. */
async function received(call: Promise<unknown>): Promise<Received> {
  const problem = await call.then(
    () => Promise.reject(new Error('the call succeeded')),
    (refusal: Problem) => refusal,
  );
  const { retryAfterSeconds } = problem;
  const headers = new Headers(
    retryAfterSeconds ? { 'retry-after': String(retryAfterSeconds) } : {},
  );
  return { status: problem.kind.status, headers, body: toProblemBody(problem, 'of-the-test', '') };
}

// The messages of the rows that have one, as recorded against AWS.
const bucketPolicyText =
  'GetBucketAcl call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this operation.';
const missingBucketText = 'The given bucket does not exist. Please make sure the bucket is valid.';
const texts = [bucketPolicyText, missingBucketText];

// From the SDK or the gateway before anything is sent. AWS never answers them.
const codesBeforeSending = [
  'CredentialsProviderError',
  'CredentialsRefused',
  'CredentialsUnavailable',
];

// After one of these as the answer to a create, the outcome is unknown.
const inconclusiveCodes = [
  'OperationAbortedException',
  'ResourceAlreadyExistsException',
  'ServiceUnavailableException',
];
const isInconclusive = (operation: string, code: string) =>
  operation === 'CreateExportTask' && inconclusiveCodes.includes(code);

const cells = errorMeanings
  .filter((row) => !codesBeforeSending.includes(row.code))
  .flatMap((row) =>
    Object.entries(row.problems).map(([operation, slug]) => ({
      operation: operation as MeaningfulCall,
      code: row.code,
      message: row.message ? texts.find((text) => row.message?.test(text)) : 'Some text.',
      slug: isInconclusive(operation, row.code) ? 'outcome-unknown' : slug,
    })),
  )
  // A key that the role may not look at is a reading, not a problem.
  .filter(({ operation, slug }) => operation !== 'KMS' || slug !== 'service-role-not-permitted');

test.each([
  [
    'The given bucket does not exist. Please make sure the bucket is valid.',
    'destination-not-found',
  ],
  ['The given bucket is not in the same Region as the log group.', 'destination-not-found'],
  ['The bucket must be in region eu-west-1', 'destination-not-found'],
  [
    "1 validation error detected: Value 'bucket/region/eu' at 'destinationPrefix'",
    'invalid-parameter',
  ],
  ["1 validation error detected: Value '/eu/region' at 'logGroupName'", 'invalid-parameter'],
])('takes %j for %s', (message, slug) => {
  const error = Object.assign(new Error(message), { name: 'InvalidParameterException' });

  expect(meaningOf('CreateExportTask', error)?.problems.CreateExportTask).toBe(slug);
});

test.each([
  ['A text without an end', 'AWS says: A text without an end.'],
  ['A sentence.', 'AWS says: A sentence.'],
])('quotes %j as a sentence', (message, quoted) => {
  expect(quoteAws(message)).toBe(quoted);
});

describe('the table of AWS errors', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld();
  });
  afterEach(() => void world.emulator.faults.clear());
  afterAll(() => world[Symbol.asyncDispose]());

  test.for(cells)(
    'maps $code of $operation to $slug',
    async ({ operation, code, message, slug }) => {
      const fault = { kind: 'error', code, message: message ?? '', count: 3 } as const;
      world.emulator.faults.add({ operation: operationOf(operation), ...fault });

      const answer = await operations[operation](world);

      expect(answer.body.type).toBe(`/problems/${slug}`);
      expect(answer.status).toBe(catalogue[slug as ProblemSlug].status);
      expect(answer.body.awsErrorCode).toBe(code);
      expect(answer.body.awsRequestId).toMatch(/^[0-9a-f-]{36}$/);
      expect(answer.headers.has('retry-after')).toBe([429, 503].includes(answer.status));
    },
  );

  test.for([
    ['DescribeExportTasks', 'ResourceNotFoundException', 400, 'aws-unexpected', 502],
    ['DescribeExportTasks', 'SomethingNewException', 400, 'aws-unexpected', 502],
    ['CreateExportTask', 'SomethingNewException', 400, 'outcome-unknown', 504],
    ['DescribeExportTasks', 'InternalFailure', 500, 'aws-unavailable', 503],
    ['CancelExportTask', 'BadGateway', 502, 'aws-unavailable', 503],
    ['DescribeExportTasks', 'WhateverException', 429, 'aws-throttled', 429],
  ] as const)(
    'maps the unlisted error of %s, %s with status %i, to %s',
    async ([operation, code, status, slug, ours]) => {
      world.emulator.faults.add({ operation, kind: 'error', status, code, count: 3 });

      const answer = await operations[operation](world);

      expect([answer.body.type, answer.status]).toEqual([`/problems/${slug}`, ours]);
    },
  );
});

describe('a failed read', () => {
  test.for([
    ['a reset', { kind: 'reset-before', count: 3 }, 'aws-unavailable'],
    ['a timeout', { kind: 'silence-before', count: 3 }, 'aws-timeout'],
    ['a truncated body', { kind: 'cut-body', count: 3 }, 'aws-unavailable'],
    ['HTML', { kind: 'replace-body', body: '<html>', contentType: 'text/html' }, 'aws-unexpected'],
  ] as const)('returns a problem for a read that ends in %s', async ([, fault, slug]) => {
    await using world = await openWorld({ isTimeoutSkipped: true });
    world.emulator.seed.finishedTasks({ region, count: 1 });
    world.emulator.faults.add({ operation: 'DescribeExportTasks', ...fault });

    const answer = await world.call('GET', '/export-tasks');

    expect(answer.body.type).toBe(`/problems/${slug}`);
  });

  test('hides an error that a retry of the read resolves', async () => {
    await using world = await openWorld();
    world.emulator.faults.add({ operation: 'DescribeExportTasks', kind: 'reset-before', count: 2 });

    const answer = await world.call('GET', '/export-tasks');

    expect(answer.status).toBe(200);
  });

  test('does not return what AWS says about the service role', async () => {
    await using world = await openWorld();
    const message =
      'User: arn:aws:sts::123456789012:assumed-role/secret-role/session is not authorized to perform: logs:DescribeExportTasks';
    const fault = { kind: 'error', code: 'AccessDeniedException', message } as const;
    world.emulator.faults.add({ operation: 'DescribeExportTasks', ...fault });

    const answer = await world.call('GET', '/export-tasks');

    expect(answer.status).toBe(403);
    expect(answer.text).not.toMatch(/arn:|123456789012|secret-role/);
    expect(JSON.stringify(world.log)).not.toContain('secret-of-the-test');
  });

  test('logs an unexpected answer in full', async () => {
    await using world = await openWorld();
    const fault = {
      kind: 'error',
      code: 'SomethingNewException',
      message: 'the whole story',
    } as const;
    world.emulator.faults.add({ operation: 'DescribeExportTasks', ...fault });

    const answer = await world.call('GET', '/export-tasks');

    expect(answer.text).not.toContain('the whole story');
    expect(JSON.stringify(world.log)).toContain('the whole story');
  });
});

describe('a destination that CloudWatch Logs may not write to', () => {
  test.for(['AccessDeniedException', 'InvalidParameterException'] as const)(
    'returns 422 with the bucket policy that makes the export succeed, for %s',
    async (bucketPolicyErrorCode) => {
      await using world = await openWorld({ emulator: { bucketPolicyErrorCode } });
      world.emulator.seed.bucket({ region, bucket: 'closed', policy: null });
      const intoClosed = { ...createBody, destination: 'closed' };

      const refused = await world.call('POST', '/export-tasks', intoClosed);
      const policy = JSON.stringify(refused.body.bucketPolicy);
      world.emulator.seed.bucket({ region, bucket: 'closed', policy });
      const accepted = await world.call('POST', '/export-tasks', intoClosed);

      expect(refused.status).toBe(422);
      expect(refused.body.type).toBe('/problems/destination-not-writable');
      expect(refused.body.bucketPolicy.Statement[0].Principal.Service).toBe(
        `logs.${region}.amazonaws.com`,
      );
      expect(accepted.status).toBe(201);
    },
  );
});
