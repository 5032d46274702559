import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { forPartitions } from '#problems/catalogue/problem-kind.ts';
import { catalogue } from '#problems/catalogue.ts';
import { startAt } from '../insert-hourly-job.ts';
import { openQueue, type Queue } from '../open-queue.ts';

// Slices for which AWS never creates a task: they end, and no other caller waits for them.

type CreateFault = Fault extends infer Kind
  ? Kind extends Fault
    ? Omit<Kind, 'operation'>
    : never
  : never;

const region = 'eu-west-1';
const logGroupName = '/poison';

/** A twentieth of the times in production, so that the test takes fewer steps. */
const soon = { reconcileMs: 6_000, listingIntervalMs: 500, createDeadlineMs: 1_000 };

/** Lets every create of the log group fail in one way. */
async function openPoisoned(fault: CreateFault, options: Parameters<typeof openQueue>[0] = {}) {
  const queue = await openQueue(options);
  queue.emulator.seed.logGroup({ region, logGroupName });
  const always = { operation: 'CreateExportTask', logGroupName, count: 100_000 };
  queue.emulator.faults.add({ ...fault, ...always } as Fault);
  return queue;
}

const error = (code: string, status = 400) => ({ kind: 'error', code, status }) as const;
const emptyAnswer = { kind: 'error', status: 200, code: 'None', rawBody: '{}' } as const;

const neverCreated: [what: string, fault: CreateFault, problem: object][] = [
  ['500', error('InternalFailure', 500), { type: '/problems/aws-unavailable' }],
  ['503', error('ServiceUnavailableException', 503), { type: '/problems/aws-unavailable' }],
  ['OperationAborted', error('OperationAbortedException'), { type: '/problems/operation-aborted' }],
  [
    'ResourceAlreadyExists',
    error('ResourceAlreadyExistsException'),
    { type: '/problems/resource-already-exists' },
  ],
  ['an unknown code', error('NewException'), { type: '/problems/aws-unexpected' }],
  ['200 without a task id', emptyAnswer, { type: '/problems/aws-unexpected' }],
  ['a reset', { kind: 'reset-before' }, { type: '/problems/aws-unavailable' }],
  ['silence', { kind: 'silence-before' }, { type: '/problems/aws-timeout' }],
];

const createsOf = (queue: Queue, name: string) =>
  queue.calls('CreateExportTask').filter((call) => groupOf(call.input) === name);
const groupOf = (input: unknown) => (input as { logGroupName: string }).logGroupName;

const isDone = (queue: Queue, jobId: string) => async () =>
  (await queue.states(jobId)).every((state) => state === 'completed');

describe('a slice for which AWS never creates a task', () => {
  test.each(neverCreated)(
    'answered %s is sent again after growing pauses, then fails with the reason',
    async (_what, fault, problem) => {
      await using queue = await openPoisoned(fault, {
        timings: { ...soon, resendAfterMs: [5_000, 60_000] },
        isTimeoutSkipped: fault.kind === 'silence-before',
      });
      const jobId = await queue.put({ logGroupName });

      await queue.runUntilDone();

      const [slice] = await queue.slices(jobId);
      expect(slice).toMatchObject({ state: 'failed', attempt: 3 });
      expect(JSON.parse(slice?.problem ?? '')).toMatchObject({ ...problem, isRetryable: true });
      expect(JSON.parse(slice?.problem ?? '').detail).toMatch(
        /AWS did not list the task within \d+ seconds\. This happened 3 times in a row\.$/,
      );
      expect(JSON.parse(slice?.problem ?? '').remedy).toContain(forPartitions);
      const attempts = await queue.database.queries
        .selectFrom('attempts')
        .selectAll()
        .orderBy('attempt')
        .execute();
      expect(attempts.map(({ outcome }) => outcome)).toEqual(Array(3).fill('not-created'));
      for (const attempt of attempts)
        expect(JSON.parse(attempt.problem ?? '')).toMatchObject(problem);
      const pauses = attempts
        .slice(1)
        .map(({ submittedAt }, index) => submittedAt - (attempts[index]?.endedAt ?? 0));
      expect(pauses[0]).toBeGreaterThanOrEqual(5_000);
      expect(pauses[1]).toBeGreaterThanOrEqual(60_000);
    },
  );

  test('has the same isRetryable as the page of its problem if only slices have it', () => {
    expect(catalogue['resource-already-exists'].isRetryable).toBe(true);
  });

  test('gets all its attempts again after AWS has accepted one create', async () => {
    await using queue = await openQueue({ timings: { ...soon, resendAfterMs: [1_000] } });
    const lost = { ...error('InternalFailure', 500), operation: 'CreateExportTask' };
    queue.emulator.faults.add(lost);
    queue.emulator.faults.add({ kind: 'task-fails', operation: 'CreateExportTask', skip: 0 });
    queue.emulator.faults.add(lost);
    const jobId = await queue.put();

    await queue.runUntilDone();

    expect(await queue.slices(jobId)).toMatchObject([{ state: 'completed', attempt: 4 }]);
  });

  test('is sent again after its sender died, without a count', async () => {
    await using queue = await openQueue({ replicas: 0, timings: { ...soon, resendAfterMs: [] } });
    const jobId = await queue.put();
    const dead = await queue.openReplica({ diesAt: 'before-send' });
    await queue.time.runUntil(dead.isDown);
    await queue.openReplica();

    await queue.runUntilDone();

    expect(await queue.slices(jobId)).toMatchObject([{ state: 'completed', attempt: 2 }]);
  });

  test('ends cancelled if the cancel of its job was requested', async () => {
    await using queue = await openPoisoned(error('InternalFailure', 500), {
      timings: { ...soon, resendAfterMs: [] },
    });
    const jobId = await queue.put({ logGroupName });
    await queue.time.runUntil(() => createsOf(queue, logGroupName).length === 1);
    await queue.cancel(jobId);

    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['cancelled']);
  });
});

describe('a caller without any export', () => {
  const ways: [what: string, fault: CreateFault][] = [
    ['500', error('InternalFailure', 500)],
    ['OperationAborted', error('OperationAbortedException')],
    ['an unknown code', error('NewException')],
    ['200 without a task id', emptyAnswer],
    ['a reset', { kind: 'reset-before' }],
    ['AccessDenied', error('AccessDeniedException')],
    ['Throttling', error('ThrottlingException')],
    ['LimitExceeded', error('LimitExceededException')],
    ['a task that fails', { kind: 'task-fails' }],
  ];
  let aloneMs: number | undefined;
  const options = { timings: soon, emulator: { pendingMs: 0, runningMs: 10_000 } };
  const exports = 20;

  test.each(ways)(
    'by %s, also at the highest priority, delays others to at most 1.2 times their time',
    async (_what, fault) => {
      aloneMs ??= await makespan(openQueue(options), false);
      const beside = await makespan(openPoisoned(fault, options), true);

      expect(beside).toBeLessThanOrEqual(1.2 * aloneMs);
    },
  );

  test('that fails every other time delays others by little more than its exports', async () => {
    aloneMs ??= await makespan(openQueue(options), false);
    const poison = error('InternalFailure', 500);
    await using queue = await openPoisoned(poison, { ...options, replicas: 0 });
    for (let job = 0; job < 2 * exports; job += 1) {
      await queue.put({ caller: 'a', ...(job % 2 === 0 && { logGroupName }) });
      await queue.time.runFor(1); // so that they go in this order
    }
    const jobId = await queue.put({ caller: 'b', slices: exports });
    await queue.openReplica();
    const beganAt = queue.time.now();

    await queue.time.runUntil(isDone(queue, jobId));

    // With a failure at every other start it would be more than twice the time.
    expect(queue.time.now() - beganAt).toBeLessThanOrEqual(1.5 * aloneMs);
  });

  async function makespan(opening: Promise<Queue>, isPoisoned: boolean) {
    await using queue = await opening;
    if (isPoisoned) await queue.put({ caller: 'a', priority: 10, slices: 100, logGroupName });
    const jobId = await queue.put({ caller: 'b', slices: exports });
    await queue.time.runUntil(isDone(queue, jobId));
    return queue.time.now() - startAt;
  }
});

describe('refusals of all creates for more than 15 minutes', () => {
  test.each([
    ['ExpiredTokenException', 'service-role-unusable'],
    ['ThrottlingException', 'aws-throttled'],
  ])('with %s log an error, fail no slice and are few', async (code, problem) => {
    // Work is looked for less often than in production, so that the test takes fewer steps.
    await using queue = await openPoisoned(error(code), { timings: { idleMs: 10_000 } });
    const jobId = await queue.put({ logGroupName, slices: 2 });

    await queue.time.runFor(14 * 60_000);
    const early = queue.log.filter(({ level }) => level === 'error');
    await queue.time.runFor(20 * 60_000);
    const late = queue.log.filter(({ level }) => level === 'error');

    expect(early).toEqual([]);
    expect(late).toHaveLength(2);
    expect(late[0]).toMatchObject({
      problem,
      target: 'default',
      text: 'AWS refused a create, retrying',
    });
    expect(await queue.states(jobId)).toEqual(['waiting', 'waiting']);
    expect(queue.calls('CreateExportTask').length).toBeLessThan(100);
  });

  test('log an error also if AWS cannot be reached', async () => {
    await using queue = await openQueue({ emulator: { runningMs: 10 * 3_600_000 } });
    await queue.put();
    await queue.time.runUntil(async () => (await queue.states())[0] === 'running');
    const deny = { ...error('AccessDeniedException'), operation: 'DescribeExportTasks' };
    queue.emulator.faults.add({ ...deny, headers: { date: 'unknown' }, count: 100_000 });

    await queue.time.runFor(14 * 60_000);
    const early = queue.log.filter(({ level }) => level === 'error');
    await queue.time.runFor(3 * 60_000);
    const late = queue.log.filter(({ level }) => level === 'error');

    expect(early).toEqual([]);
    expect(late).toMatchObject([{ text: 'target worker failed, retrying', target: 'default' }]);
  });
});
