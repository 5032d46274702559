import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { sliceEnds } from '#diagnostics/exports.ts';
import { problemsMet } from '#diagnostics/problems.ts';
import { readEvents } from '#export-jobs/store/reads/read-events.ts';
import { readJobs } from '#export-jobs/store/reads/read-jobs.ts';
import { retryJob } from '#export-jobs/store/requests/retry-job.ts';
import { approvalOf } from '../caller-requests.ts';
import { startAt } from '../insert-hourly-job.ts';
import { openQueue, type Queue } from '../open-queue.ts';
import { hideBuckets } from './hide-buckets.ts';

// Slices of a job that AWS would refuse for one cause: they end together.

const region = 'eu-west-1';
const logGroupNames = ['/one', '/two', '/three'];
const granted =
  'call on the given bucket failed. Please check if CloudWatch Logs has been granted permission to perform this operation.';

type Answer = { code: string; message?: string };

/** Lets AWS refuse every create of some log groups. */
function refuse(queue: Queue, answer: Answer, names: readonly string[] = logGroupNames): void {
  for (const logGroupName of names) {
    const always = { operation: 'CreateExportTask', logGroupName, count: 100_000 };
    queue.emulator.faults.add({ kind: 'error', ...answer, ...always } as Fault);
  }
}

async function openShop(options: Parameters<typeof openQueue>[0] = {}): Promise<Queue> {
  const queue = await openQueue(options);
  hideBuckets(queue);
  for (const logGroupName of logGroupNames) queue.emulator.seed.logGroup({ region, logGroupName });
  return queue;
}

const jobOf = async ({ database }: Queue, jobId: string) => {
  const job = (await readJobs(database, [jobId])).get(jobId);
  if (!job) throw new Error('The job exists.');
  return job;
};

const eventsOf = async ({ database }: Queue, jobId: string) =>
  (await readEvents(database.queries, jobId, 0)).map(({ type, data }) => ({ type, ...data }));

describe.each(['sqlite', 'postgres'] as const)('a job of 3,000 slices, on %s', (backend) => {
  test.each([
    ['a missing bucket', { destination: 'gone' }, undefined],
    ['a refused role', {}, { code: 'AccessDeniedException' }],
  ])('ends within five seconds and two creates with %s', async (_cause, destination, answer) => {
    await using queue = await openShop({ backend });
    if (answer) refuse(queue, answer);
    const jobId = await queue.put({ slices: 3_000, logGroupNames, ...destination });

    await queue.runUntilDone();

    const { counts, failures } = await jobOf(queue, jobId);
    expect(counts).toMatchObject({ failed: 3_000 });
    expect(failures).toMatchObject([{ slices: 3_000 }]);
    expect(queue.calls('CreateExportTask').length).toBeLessThanOrEqual(2);
    expect(queue.time.now() - startAt).toBeLessThanOrEqual(5_000);
  });

  test('is complete after its cause is fixed and the job is retried', async () => {
    await using queue = await openShop({ backend });
    const jobId = await queue.put({ slices: 9, logGroupNames, destination: 'late' });
    await queue.runUntilDone();
    const failed = await jobOf(queue, jobId);
    queue.emulator.seed.bucket({ region, bucket: 'late' });

    const { slices } = await retryJob(queue.database, jobId, approvalOf('anonymous'), 0);
    await queue.runUntilDone();

    const done = await jobOf(queue, jobId);
    expect(slices).toBe(9);
    expect([failed.job.endedAt, done.job.endedAt]).not.toContain(null);
    expect(done.counts).toMatchObject({ completed: 9 });
    expect(done.failures).toEqual([]);
  });

  test('keeps the bucket policy in one slice, and shows it in the failure of the job', async () => {
    await using queue = await openShop({ backend });
    queue.emulator.seed.bucket({ region, bucket: 'closed', policy: null });
    const jobId = await queue.put({ slices: 20, destination: 'closed' });

    await queue.runUntilDone();

    const problems = (await queue.slices(jobId)).map(({ problem }) => JSON.parse(problem ?? ''));
    const { failures } = await jobOf(queue, jobId);
    expect(problems.filter(({ bucketPolicy }) => bucketPolicy)).toHaveLength(1);
    expect(JSON.parse(failures[0]?.problem ?? '')).toHaveProperty('bucketPolicy.Statement');
  });
});

test('a bucket policy for some log groups ends only the slices of the others', async () => {
  await using queue = await openQueue(); // the policy can be read
  for (const logGroupName of logGroupNames) queue.emulator.seed.logGroup({ region, logGroupName });
  const arn = 'arn:aws:s3:::kms-archive';
  const allow = { Effect: 'Allow', Principal: '*' };
  const ofOne = { ArnLike: { 'aws:SourceArn': 'arn:aws:logs:*:*:log-group:/one*' } };
  const Statement = [
    { ...allow, Action: 's3:*', Resource: [arn, `${arn}/*`] },
    { ...allow, Effect: 'Deny', Action: 's3:PutObject', Resource: `${arn}/*`, Condition: ofOne },
  ];
  const policy = JSON.stringify({ Version: '2012-10-17', Statement });
  queue.emulator.seed.bucket({ region, bucket: 'kms-archive', policy });
  const jobId = await queue.put({ slices: 12, logGroupNames, destination: 'kms-archive' });

  await queue.runUntilDone();

  const { counts, failures } = await jobOf(queue, jobId);
  expect(counts).toMatchObject({ failed: 4, completed: 8 });
  expect(JSON.parse(failures[0]?.problem ?? '').detail).toContain('kms-archive');
});

describe('a refused create', () => {
  const other: Answer = { code: 'InvalidParameterException', message: 'The value is wrong.' };
  const putObject: Answer = { code: 'AccessDeniedException', message: `PutObject ${granted}` };
  const kms: Answer = { code: 'AccessDeniedException', message: 'The KMS key denied PutObject.' };
  const acl: Answer = { code: 'AccessDeniedException', message: `GetBucketAcl ${granted}` };

  test.each([
    ['of the whole bucket', acl, ['/one'], { failed: 12, completed: 0 }, 1],
    ['of the KMS key', kms, ['/one'], { failed: 12, completed: 0 }, 1],
    ['of one prefix', putObject, ['/one'], { failed: 4, completed: 8 }, 9],
    [
      'of the prefixes of two log groups in a row',
      putObject,
      ['/one', '/two'],
      { failed: 12, completed: 0 },
      2,
    ],
    [
      'of the role for one log group',
      { code: 'AccessDeniedException' },
      ['/two'],
      { failed: 4, completed: 8 },
      9,
    ],
    [
      'of a missing log group',
      { code: 'ResourceNotFoundException' },
      ['/one', '/two'],
      { failed: 8, completed: 4 },
      6,
    ],
    ['of one value', other, ['/one'], { failed: 4, completed: 8 }, 12],
  ])('%s ends the slices that it concerns', async (_what, answer, refused, counts, creates) => {
    await using queue = await openShop();
    refuse(queue, answer, refused);
    const jobId = await queue.put({ slices: 12, logGroupNames });

    await queue.runUntilDone();

    expect((await jobOf(queue, jobId)).counts).toMatchObject(counts);
    expect(queue.calls('CreateExportTask')).toHaveLength(creates);
  });

  test.each(['far', 'closed'])('for the bucket %s ends all slices at once', async (destination) => {
    await using queue = await openShop();
    queue.emulator.seed.bucket({ region: 'eu-west-2', bucket: 'far' });
    queue.emulator.seed.bucket({ region, bucket: 'closed', policy: null });
    const jobId = await queue.put({ slices: 12, logGroupNames, destination });

    await queue.runUntilDone();

    expect((await jobOf(queue, jobId)).counts).toMatchObject({ failed: 12 });
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
  });

  test('of two log groups ends no other if AWS accepts a create between them', async () => {
    await using queue = await openShop();
    refuse(queue, { code: 'AccessDeniedException' }, ['/one', '/three']);
    const jobId = await queue.put({ slices: 12, logGroupNames });

    await queue.runUntilDone();

    const slices = await queue.slices(jobId);
    const completed = slices.flatMap(({ state }, number) =>
      state === 'completed' ? [number] : [],
    );
    expect(completed).toEqual([1, 4, 7, 10]);
    expect(queue.calls('CreateExportTask')).toHaveLength(6);
  });

  test('ends no slice of another job, which finds out itself', async () => {
    await using queue = await openShop();
    const first = await queue.put({ slices: 20, destination: 'gone', priority: 1 });
    const second = await queue.put({ slices: 20, destination: 'gone', priority: -1 });
    const good = await queue.put({ slices: 2 });
    const isEnded = async () => (await queue.states(first)).every((state) => state === 'failed');
    await queue.time.runUntil(isEnded);
    const meanwhile = await queue.states(second);

    await queue.runUntilDone();

    expect(meanwhile).toContain('waiting');
    expect(await queue.states(second)).toEqual(Array(20).fill('failed'));
    expect(await queue.states(good)).toEqual(['completed', 'completed']);
    expect(queue.calls('CreateExportTask')).toHaveLength(4);
  });

  test('does not change slices that have ended, and ends those that wait for a retry', async () => {
    await using queue = await openShop({ random: () => 0 });
    queue.emulator.faults.add({ kind: 'task-fails', operation: 'CreateExportTask', skip: 1 });
    const gone = { code: 'InvalidParameterException', message: 'The given bucket does not exist.' };
    const jobId = await queue.put({ slices: 5 });
    await queue.time.runUntil(async () => (await queue.slices(jobId))[1]?.attempt === 1);
    await queue.time.runUntil(async () => (await queue.slices(jobId))[1]?.problem !== null);
    refuse(queue, gone, ['/app']);

    await queue.runUntilDone();

    const slices = await queue.slices(jobId);
    const attempts = slices.map(({ state, attempt }) => [state, attempt]);
    expect(attempts).toEqual([
      ['completed', 1],
      ['failed', 1],
      ['completed', 1],
      ['failed', 1],
      ['failed', 0],
    ]);
    const failed = slices.filter(({ state }) => state === 'failed');
    const types = failed.map(({ problem }) => JSON.parse(problem ?? '').type);
    expect(new Set(types)).toEqual(new Set(['/problems/destination-not-found']));
  });

  test('has one event, one audit entry, one log line and all its slices in the metrics', async () => {
    await using queue = await openShop();
    const ends: object[] = [];
    const met: object[] = [];
    const unsubscribe = [
      sliceEnds.subscribe((end) => void ends.push(end)),
      problemsMet.subscribe((problem) => void met.push(problem)),
    ];
    const jobId = await queue.put({ slices: 30, logGroupNames: ['/gone', '/one'] });

    await queue.runUntilDone();
    for (const end of unsubscribe) end();

    const failure = { slices: 14, problem: 'log-group-not-found', logGroupName: '/gone' };
    const events = await eventsOf(queue, jobId);
    expect(events.slice(1, 4)).toEqual([
      { type: 'slice-starting', slice: 0, attempt: 1 },
      { type: 'slice-failed', slice: 0, attempt: 1, problem: 'log-group-not-found' },
      { type: 'slices-failed', ...failure },
    ]);
    const entries = await queue.database.queries
      .selectFrom('auditEntries')
      .selectAll()
      .where('change', '=', 'slices-failed')
      .execute();
    expect(entries).toMatchObject([
      {
        jobId,
        version: 4,
        action: 'CreateExportTask',
        principal: 'log-export-gateway',
        requestId: expect.stringMatching(/^xp1-/),
        logGroupName: '/gone',
        slice: null,
        awsRequestId: null,
        outcome: 'log-group-not-found',
      },
    ]);
    const lines = queue.log.filter(({ text }) => text === 'slice failed');
    expect(lines).toMatchObject([{ jobId, slice: 0, attempt: 1, others: 14 }]);
    expect(ends[0]).toEqual({ target: 'default', outcome: 'failed', slices: 15 });
    expect(met).toEqual([{ slug: 'log-group-not-found' }]);
  });

  test.each(['sqlite', 'postgres'] as const)(
    'is recorded with all its slices or with none if the process ends, on %s',
    async (backend) => {
      await using queue = await openShop({ backend, replicas: 0 });
      const jobId = await queue.put({ slices: 20, destination: 'gone' });
      const dead = await queue.openReplica({ diesAt: 'in-outcome' });
      await queue.time.runUntil(dead.isDown);
      const states = await queue.states(jobId);
      await queue.openReplica();

      await queue.runUntilDone();

      expect(states).toEqual(['starting', ...Array(19).fill('waiting')]);
      expect(await queue.states(jobId)).toEqual(Array(20).fill('failed'));
      expect(queue.calls('CreateExportTask')).toHaveLength(2);
    },
  );
});
