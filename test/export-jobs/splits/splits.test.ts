import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { Problem } from '#problems/problem.ts';
import { region } from '../../world.ts';
import { firstWindowAt } from '../insert-hourly-job.ts';
import { openQueue, type Queue, type QueueOptions } from '../open-queue.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

const create = { operation: 'CreateExportTask', count: 100_000 } as const;
/** AWS fails all tasks with longer windows. */
const failLonger = (longerThanMs: number): Fault => ({
  ...create,
  kind: 'task-fails',
  longerThanMs,
});
/** Tasks with longer windows run for 30 hours. */
const runsForDays: Fault = {
  ...create,
  kind: 'task-runs',
  runningMs: 30 * hourMs,
  longerThanMs: 30 * minuteMs,
};

const backends = ['sqlite', 'postgres'] as const;

async function openWith(faults: readonly Fault[], options: QueueOptions = {}): Promise<Queue> {
  const queue = await openQueue(options);
  for (const fault of faults) queue.emulator.faults.add(fault);
  return queue;
}

const slicesOf = ({ database }: Queue) =>
  database.queries.selectFrom('slices').selectAll().orderBy('number').execute();

const attemptsOf = ({ database }: Queue) =>
  database.queries.selectFrom('attempts').selectAll().orderBy('submittedAt').execute();

async function eventsOf({ database }: Queue, type: string) {
  const events = await database.queries
    .selectFrom('events')
    .select('data')
    .where('type', '=', type)
    .orderBy('version')
    .execute();
  return events.map(({ data }) => JSON.parse(data));
}

/** Checks that the completed slices are the windows of the slices that were accepted, each once. */
async function expectCovered(queue: Queue): Promise<void> {
  const slices = await slicesOf(queue);
  const accepted = slices.filter(({ parent }) => parent === null);
  const exported = slices
    .filter(({ state }) => state === 'completed')
    .toSorted((one, other) => one.fromAt - other.fromAt);
  expect(slices.every(({ state }) => state === 'completed' || state === 'split')).toBe(true);
  expect(exported[0]?.fromAt).toBe(accepted[0]?.fromAt);
  expect(exported.at(-1)?.toAt).toBe(accepted.at(-1)?.toAt);
  for (const [index, { fromAt }] of exported.slice(1).entries())
    expect(fromAt).toBe(exported[index]?.toAt);
}

/** Inserts a job of one slice, and advances time until its task has run for so long. */
async function runFor(queue: Queue, ms: number): Promise<string> {
  const jobId = await queue.put();
  await queue.time.runUntil(async () => (await queue.states())[0] === 'running');
  queue.emulator.clock.advance(ms);
  return jobId;
}

describe.each(backends)('a slice whose task fails twice, on %s', (backend) => {
  test('is split into quarters of the hour, which are exported instead', async () => {
    await using queue = await openWith([failLonger(15 * minuteMs)], { backend });
    const jobId = await queue.put({ slices: 2, verification: 'objects' });

    await queue.runUntilDone();

    const slices = await slicesOf(queue);
    expect(slices.map(({ state }) => state)).toEqual([
      'split',
      'split',
      ...Array(8).fill('completed'),
    ]);
    const parents = slices.map(({ parent }) => parent);
    expect(parents.filter((parent) => parent === 0)).toHaveLength(4);
    expect(parents.filter((parent) => parent === 1)).toHaveLength(4);
    await expectCovered(queue);
    expect(JSON.parse(slices[0]?.problem ?? '')).toMatchObject({
      type: '/problems/export-task-failed',
    });
    const { endedAt } = await queue.database.queries
      .selectFrom('jobs')
      .select('endedAt')
      .where('id', '=', jobId)
      .executeTakeFirstOrThrow();
    expect(endedAt).not.toBeNull();
  });

  test('and its children have a prefix for each attempt', async () => {
    await using queue = await openWith(
      [failLonger(15 * minuteMs), { ...failLonger(0), count: 1 }],
      { backend },
    );
    await queue.put({ destinationPrefix: '{yyyy}/{MM}/{dd}/{HH}/{jobId}/{attempt}' });

    await queue.runUntilDone();

    const attempts = await attemptsOf(queue);
    expect(attempts).toHaveLength(2 + 4 + 1);
    expect(new Set(attempts.map(({ destinationPrefix }) => destinationPrefix)).size).toBe(7);
    await expectCovered(queue);
  });

  test('is split by one process only, if another one dies inside the transaction', async () => {
    await using queue = await openWith([failLonger(15 * minuteMs)], { backend, replicas: 0 });
    await queue.put({ verification: 'objects' });
    const first = await queue.openReplica({ diesAt: 'in-split' });
    await queue.time.runUntil(first.isDown);
    expect(await queue.states()).toEqual(['running']);

    await queue.openReplica();
    await queue.runUntilDone();

    await expectCovered(queue);
    expect(await slicesOf(queue)).toHaveLength(5);
    expect(queue.calls('CreateExportTask')).toHaveLength(6);
  });
});

describe('a slice whose task fails', () => {
  test('once is retried and not split', async () => {
    await using queue = await openWith([{ ...failLonger(0), count: 1 }]);
    await queue.put();

    await queue.runUntilDone();

    expect(await queue.states()).toEqual(['completed']);
  });

  test('twice has an event and an audit entry of the split', async () => {
    await using queue = await openWith([failLonger(15 * minuteMs)]);
    await queue.put();

    await queue.runUntilDone();

    expect(await eventsOf(queue, 'slice-split')).toEqual([
      { slice: 0, attempt: 2, problem: 'export-task-failed', children: [1, 2, 3, 4] },
    ]);
    const entry = await queue.database.queries
      .selectFrom('auditEntries')
      .selectAll()
      .where('change', '=', 'slice-split')
      .executeTakeFirstOrThrow();
    expect(entry).toMatchObject({
      action: 'DescribeExportTasks',
      slice: 0,
      outcome: 'export-task-failed',
    });
    expect(queue.log).toContainEqual(
      expect.objectContaining({ level: 'info', text: 'split a slice', slice: 0, children: 4 }),
    );
  });

  test('twice, and its bucket has lost its policy, is not split', async () => {
    await using queue = await openWith([{ ...failLonger(0), count: 2 }], {
      emulator: { runningMs: 10 * minuteMs },
    });
    await queue.put();
    await queue.time.runUntil(async () => {
      const [slice] = await queue.slices();
      return slice?.attempt === 2 && slice.state === 'running';
    });
    queue.emulator.seed.bucket({ region, bucket: 'archive', policy: null });

    await queue.runUntilDone();

    expect(await queue.slices()).toMatchObject([{ state: 'failed', attempt: 3 }]);
    expect(await eventsOf(queue, 'slice-split')).toEqual([]);
  });

  test('always, around one instant, leaves only the last minute of it failed', async () => {
    const containsMs = firstWindowAt + 10 * hourMs + 20 * minuteMs;
    await using queue = await openWith([{ ...create, kind: 'task-fails', containsMs }]);
    await queue.put({ sliceMs: 24 * hourMs });

    await queue.runUntilDone();

    const slices = await slicesOf(queue);
    const failed = slices.filter(({ state }) => state === 'failed');
    expect(failed).toHaveLength(1);
    const [{ fromAt, toAt } = { fromAt: 0, toAt: 0 }] = failed;
    expect(toAt - fromAt).toBeLessThan(2 * minuteMs);
    expect(containsMs).toBeGreaterThanOrEqual(fromAt);
    expect(containsMs).toBeLessThan(toAt);
    // A day, an hour, a quarter, half of it, and half of that.
    expect(slices.filter(({ state }) => state === 'split')).toHaveLength(5);
    expect(slices.filter(({ state }) => state === 'completed')).toHaveLength(23 + 3 + 3);
  });

  test('always, around one instant, is split again while the other parts are verified', async () => {
    const containsMs = firstWindowAt + 20 * minuteMs;
    const listObjects = () => Promise.reject(new Problem('aws-unavailable', 'S3 is away.'));
    await using queue = await openWith([{ ...create, kind: 'task-fails', containsMs }], {
      seeTarget: ({ storage, ...target }) => ({
        ...target,
        storage: { ...storage, scoped: (...of) => ({ ...storage.scoped(...of), listObjects }) },
      }),
    });
    await queue.put({ verification: 'objects' });

    const part = async () => (await queue.states())[2] ?? 'waiting';
    await queue.time.runUntil(async () => ['split', 'failed'].includes(await part()));

    const states = (await queue.states()).slice(0, 5);
    expect(states).toEqual(['split', 'verifying', 'split', 'verifying', 'verifying']);
  });

  test('always, at all lengths, is split once', async () => {
    await using queue = await openWith([failLonger(0)]);
    const jobId = await queue.put();

    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['split', ...Array(4).fill('failed')]);
    expect(queue.calls('CreateExportTask')).toHaveLength(2 + 4 * 3);
  });

  test('is not split if its job would have too many slices from splits', async () => {
    await using queue = await openWith([failLonger(15 * minuteMs)]);
    const jobId = await queue.put({ slices: 998 });
    await queue.database.queries
      .updateTable('slices')
      .set({ parent: 0, state: 'completed' })
      .where('jobId', '=', jobId)
      .where('number', '>', 0)
      .execute();

    await queue.runUntilDone();

    expect((await queue.states(jobId))[0]).toBe('failed');
    expect(await slicesOf(queue)).toHaveLength(998);
  });
});

describe('a task that runs for 23 hours and a half', () => {
  test('is cancelled at AWS by the gateway, and its slice is split', async () => {
    await using queue = await openWith([runsForDays]);
    await runFor(queue, 23.4 * hourMs);
    await queue.time.runFor(60_000);
    const early = queue.calls('CancelExportTask').length;
    queue.emulator.clock.advance(0.1 * hourMs);

    await queue.runUntilDone();

    expect(early).toBe(0);
    expect(queue.calls('CancelExportTask')).toHaveLength(1);
    expect(await queue.states()).toEqual(['split', ...Array(4).fill('completed')]);
    await expectCovered(queue);
    const [first] = await attemptsOf(queue);
    expect(first).toMatchObject({ outcome: 'cancelled' });
    expect(JSON.parse(first?.problem ?? '')).toMatchObject({
      type: '/problems/export-task-too-long',
    });
    const cancels = await queue.database.queries
      .selectFrom('auditEntries')
      .select(['principal', 'change'])
      .where('action', '=', 'CancelExportTask')
      .execute();
    expect(cancels).toEqual([{ principal: 'log-export-gateway', change: 'slice-cancelling' }]);
  });

  test('and then fails at AWS is split at its first failure', async () => {
    await using queue = await openWith([runsForDays]);
    await runFor(queue, 0);
    queue.emulator.faults.add({ kind: 'error', operation: 'CancelExportTask', count: 1_000 });
    queue.emulator.clock.advance(24 * hourMs);

    await queue.runUntilDone();

    const [event] = await eventsOf(queue, 'slice-split');
    expect(event).toMatchObject({ slice: 0, attempt: 1, problem: 'export-task-failed' });
    await expectCovered(queue);
  });

  test.each(['FAILED', 'CANCELLED'])(
    'and then is %s at AWS, without times, is split',
    async (code) => {
      await using queue = await openWith([runsForDays]);
      await runFor(queue, 0);
      queue.emulator.faults.add({ kind: 'error', operation: 'CancelExportTask', count: 1_000 });
      const [task] = queue.emulator.exportTasks();
      const body = JSON.stringify({ exportTasks: [{ taskId: task?.taskId, status: { code } }] });
      queue.emulator.faults.add({ kind: 'replace-body', operation: 'DescribeExportTasks', body });
      queue.emulator.clock.advance(24 * hourMs);

      await queue.runUntilDone();

      const [event] = await eventsOf(queue, 'slice-split');
      expect(event).toMatchObject({ slice: 0, attempt: 1 });
      await expectCovered(queue);
    },
  );

  test('and fails while AWS cancels it is split, with its attempt as failed', async () => {
    await using queue = await openWith([runsForDays], { emulator: { pendingCancelMs: minuteMs } });
    await runFor(queue, 23.5 * hourMs);
    await queue.time.runUntil(async () => (await queue.states())[0] === 'cancelling');
    const [task] = queue.emulator.exportTasks();
    const failed = { taskId: task?.taskId, status: { code: 'FAILED' } };
    const body = JSON.stringify({ exportTasks: [failed] });
    queue.emulator.faults.add({ kind: 'replace-body', operation: 'DescribeExportTasks', body });

    await queue.runUntilDone();

    const [first] = await attemptsOf(queue);
    expect(first?.outcome).toBe('failed');
    expect(await eventsOf(queue, 'slice-split')).toHaveLength(1);
    await expectCovered(queue);
  });

  test('and completes despite the cancel is completed', async () => {
    await using queue = await openWith([runsForDays], {
      emulator: { cancelledWhileRunning: 'completes' },
    });
    await runFor(queue, 23.5 * hourMs);

    await queue.runUntilDone();

    expect(queue.calls('CancelExportTask')).toHaveLength(1);
    expect(await queue.states()).toEqual(['completed']);
  });

  test('is not split if its job is cancelled meanwhile', async () => {
    await using queue = await openWith([runsForDays], { emulator: { pendingCancelMs: 60_000 } });
    const jobId = await runFor(queue, 23.5 * hourMs);
    await queue.time.runUntil(async () => (await queue.states())[0] === 'cancelling');

    await queue.cancel(jobId);
    await queue.runUntilDone();

    expect(await queue.states()).toEqual(['cancelled']);
  });

  test('is not cancelled if its window is too short to be split', async () => {
    await using queue = await openWith([{ ...runsForDays, longerThanMs: 0 }]);
    await queue.put({ sliceMs: 90_000 });
    await queue.time.runUntil(async () => (await queue.states())[0] === 'running');
    queue.emulator.clock.advance(23.6 * hourMs);
    await queue.time.runFor(10 * minuteMs);

    expect(queue.calls('CancelExportTask')).toEqual([]);
    expect(await queue.states()).toEqual(['running']);
  });
});
