import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { errorMeanings, type Operation } from '#aws/error-meaning.ts';
import { catalogue, type ProblemSlug } from '#problems/catalogue.ts';
import { type Problem, toProblemBody } from '#problems/problem.ts';
import { type Answer, openWorld, order, region, type World } from '../world.ts';

// The SDK waits a share of its back-off before it calls again, and draws how much. Here it draws nothing.
beforeEach(() => void vi.spyOn(Math, 'random').mockReturnValue(0));
afterEach(() => void vi.restoreAllMocks());

type Heard = Pick<Answer, 'status' | 'headers' | 'body'>;

const operations: Record<Operation, (world: World) => Promise<Heard>> = {
  CreateExportTask: (world) => world.call('POST', '/export-tasks', order),
  DescribeExportTasks: (world) => world.call('GET', '/export-tasks'),
  CancelExportTask: (world) => world.call('POST', '/export-tasks/some-task/cancel'),
  DescribeLogGroups: (world) => heard(world.targets.find(undefined).logs.describeLogGroups({})),
};

/** A call of the port as its caller would hear of it. */
async function heard(call: Promise<unknown>): Promise<Heard> {
  const problem = await call.then(
    () => Promise.reject(new Error('the call went well')),
    (refusal: Problem) => refusal,
  );
  const { retryAfterSeconds } = problem;
  const headers = new Headers(
    retryAfterSeconds ? { 'retry-after': String(retryAfterSeconds) } : {},
  );
  return { status: problem.kind.status, headers, body: toProblemBody(problem, 'of-the-test', '') };
}

// A text for the rows that are told apart by it, as recorded against AWS.
const bucketPolicyText =
  'GetBucketAcl call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this operation.';
const missingBucketText = 'The given bucket does not exist. Please make sure the bucket is valid.';
const texts = [bucketPolicyText, missingBucketText];

// Said by the SDK or by us before anything is sent; AWS never answers them.
const saidBeforeSending = [
  'CredentialsProviderError',
  'CredentialsRefused',
  'CredentialsUnavailable',
];

// As answers to a create these leave open whether the task was created.
const openCodes = [
  'OperationAbortedException',
  'ResourceAlreadyExistsException',
  'ServiceUnavailableException',
];
const isOpen = (operation: string, code: string) =>
  operation === 'CreateExportTask' && openCodes.includes(code);

const cells = errorMeanings
  .filter((row) => !saidBeforeSending.includes(row.code))
  .flatMap((row) =>
    Object.entries(row.problems).map(([operation, slug]) => ({
      operation: operation as Operation,
      code: row.code,
      message: row.message ? texts.find((text) => row.message?.test(text)) : 'Some text.',
      slug: isOpen(operation, row.code) ? 'outcome-unknown' : slug,
    })),
  );

describe('the table of AWS errors', () => {
  test.for(cells)(
    '$operation × $code is answered $slug',
    async ({ operation, code, message, slug }) => {
      await using world = await openWorld();
      const fault = { kind: 'error', code, message: message ?? '', count: 3 } as const;
      world.emulator.faults.add({ operation, ...fault });

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
    '%s × unlisted %s with status %i is answered %s',
    async ([operation, code, status, slug, ours]) => {
      await using world = await openWorld();
      world.emulator.faults.add({ operation, kind: 'error', status, code, count: 3 });

      const answer = await operations[operation](world);

      expect([answer.body.type, answer.status]).toEqual([`/problems/${slug}`, ours]);
    },
  );

  test.for([
    ['a reset', { kind: 'reset-before', count: 3 }, 'aws-unavailable'],
    ['silence', { kind: 'silence-before', count: 3 }, 'aws-timeout'],
    ['a body that breaks off', { kind: 'cut-body', count: 3 }, 'aws-unavailable'],
    ['HTML', { kind: 'replace-body', body: '<html>', contentType: 'text/html' }, 'aws-unexpected'],
  ] as const)('a read that meets %s is not taken for an answer', async ([, fault, slug]) => {
    await using world = await openWorld({ isSilenceShort: true });
    world.emulator.seed.finishedTasks({ region, count: 1 });
    world.emulator.faults.add({ operation: 'DescribeExportTasks', ...fault });

    const answer = await world.call('GET', '/export-tasks');

    expect(answer.body.type).toBe(`/problems/${slug}`);
  });

  test('an error a read can get over is not seen by the caller', async () => {
    await using world = await openWorld();
    world.emulator.faults.add({ operation: 'DescribeExportTasks', kind: 'reset-before', count: 2 });

    const answer = await world.call('GET', '/export-tasks');

    expect(answer.status).toBe(200);
  });

  test('what AWS says about the service role does not leave', async () => {
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

  test('an unexpected answer is logged whole', async () => {
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

describe('a destination CloudWatch Logs may not write to', () => {
  test.for(['AccessDeniedException', 'InvalidParameterException'] as const)(
    'is answered 422 with the policy that lets the export succeed, under %s',
    async (bucketPolicyErrorCode) => {
      await using world = await openWorld({ emulator: { bucketPolicyErrorCode } });
      world.emulator.seed.bucket({ region, bucket: 'closed', policy: null });
      const intoClosed = { ...order, destination: 'closed' };

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
