import type { EmulatorOptions, Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { startAt } from '../insert-hourly-job.ts';
import { openQueue, type Queue, refusal } from '../open-queue.ts';

// All that can happen to the one call that cannot be repeated. Every row has one task, and none is
// lost.

type CreateFault = Fault extends infer Kind
  ? Kind extends Fault
    ? Omit<Kind, 'operation'>
    : never
  : never;

/** The task still runs when it is looked up, or it has ended at once. */
const isSlow: EmulatorOptions = { runningMs: 30_000 };
const isOverAtOnce: EmulatorOptions = { pendingMs: 0, runningMs: 0 };

const tookEffect: [string, EmulatorOptions, CreateFault][] = [
  ['A1: a reset, the task is running', isSlow, { kind: 'reset-after' }],
  ['A2: a reset, the task is over', isOverAtOnce, { kind: 'reset-after' }],
  [
    'A3: a 503, the task is running',
    isSlow,
    { kind: 'error', status: 503, code: 'ServiceUnavailableException', afterEffect: true },
  ],
  ['A4: a 500, the task is over', isOverAtOnce, { kind: 'error', status: 500, afterEffect: true }],
  ['A5: half an answer', isSlow, { kind: 'cut-body' }],
  [
    'A6: a 200 with HTML',
    isSlow,
    { kind: 'replace-body', body: '<html>proxy</html>', contentType: 'text/html' },
  ],
  ['A7: a 200 without a body', isSlow, { kind: 'replace-body', body: '' }],
  ['A8: a 200 without a task id', isSlow, { kind: 'replace-body', body: '{}' }],
  ['A9: a reset for every create', isOverAtOnce, { kind: 'reset-after', count: 9 }],
  ['silence, the task is running', isSlow, { kind: 'silence-after' }],
  ['silence, the task is over', isOverAtOnce, { kind: 'silence-after' }],
  ['an answer that stalls', isSlow, { kind: 'stall-body' }],
];

const tookNone: [string, CreateFault][] = [
  ['a reset', { kind: 'reset-before' }],
  ['silence', { kind: 'silence-before' }],
  ['a 500', { kind: 'error', status: 500 }],
  ['a 503', { kind: 'error', status: 503, code: 'ServiceUnavailableException' }],
];

const lose = (queue: Queue, fault: CreateFault) =>
  queue.emulator.faults.add({ ...fault, operation: 'CreateExportTask' } as Fault);

const attemptsOf = ({ database }: Queue) =>
  database.queries.selectFrom('attempts').selectAll().orderBy('attempt').execute();

describe('a create with an effect and a lost answer', () => {
  test.each(tookEffect)('%s: adopts the task by its marker', async (_row, emulator, fault) => {
    await using queue = await openQueue({ emulator, isTimeoutSkipped: true });
    lose(queue, fault);
    const jobId = await queue.put();

    await queue.runUntilDone();

    const [task, ...others] = queue.emulator.exportTasks();
    expect(others).toEqual([]);
    expect(await queue.states(jobId)).toEqual(['completed']);
    expect(await attemptsOf(queue)).toMatchObject([
      { attempt: 1, taskId: task?.taskId, outcome: 'completed' },
    ]);
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
  });

  test('late, but before it counts as absent: adopts the task', async () => {
    await using queue = await openQueue();
    lose(queue, { kind: 'late-effect', delayMs: 100_000 });
    const jobId = await queue.put();

    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['completed']);
    expect(queue.emulator.exportTasks()).toHaveLength(1);
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
  });

  test('hidden by a lagging listing: adopts the task when the listing has caught up', async () => {
    await using queue = await openQueue();
    lose(queue, { kind: 'reset-after' });
    queue.emulator.faults.add({
      kind: 'stale-listing',
      operation: 'DescribeExportTasks',
      lagMs: 60_000,
      count: 1_000,
    });
    const jobId = await queue.put();

    await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'running');
    queue.emulator.faults.clear();
    await queue.runUntilDone();

    expect(queue.time.now() - startAt).toBeGreaterThan(60_000);
    expect(queue.emulator.exportTasks()).toHaveLength(1);
  });

  test('behind 19,000 old tasks: adopts the task by the third listing', async () => {
    await using queue = await openQueue({ emulator: isOverAtOnce });
    queue.emulator.seed.finishedTasks({ region: 'eu-west-1', count: 19_000, spacingMs: 3_000 });
    lose(queue, { kind: 'reset-after' });
    await queue.put();

    await queue.runUntilDone();

    const listings = queue.calls('DescribeExportTasks').filter(({ input }) => !isById(input));
    expect(listings.length).toBeLessThanOrEqual(3);
  });
});

const isById = (input: unknown) => (input as { taskId?: string }).taskId !== undefined;

describe('a create without an effect and with a lost answer', () => {
  test.each(tookNone)(
    '%s: is sent again with a new marker and a new prefix',
    async (_row, fault) => {
      await using queue = await openQueue({ isTimeoutSkipped: true });
      lose(queue, fault);
      const jobId = await queue.put();

      await queue.runUntilDone();

      const [task, ...others] = queue.emulator.exportTasks();
      expect(others).toEqual([]);
      expect(await queue.states(jobId)).toEqual(['completed']);
      const attempts = await attemptsOf(queue);
      expect(attempts).toMatchObject([
        { taskId: null, outcome: 'not-created' },
        { taskId: task?.taskId, marker: task?.taskName, outcome: 'completed' },
      ]);
      expect(new Set(attempts.map(({ marker }) => marker)).size).toBe(2);
      expect(new Set(attempts.map(({ destinationPrefix }) => destinationPrefix)).size).toBe(2);
      const [slice] = await queue.database.queries.selectFrom('slices').selectAll().execute();
      expect(slice?.failures).toBe(0);
    },
  );

  test('counts as absent after two minutes and three whole listings, not before', async () => {
    await using queue = await openQueue();
    lose(queue, { kind: 'reset-before' });
    await queue.put();

    await queue.time.runUntil(() => queue.calls('CreateExportTask').length === 2);

    const [first, second] = queue.calls('CreateExportTask');
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(120_000);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeLessThanOrEqual(140_000);
    const looks = looksOf(queue).filter((at) => at - (first?.at ?? 0) > 12_000);
    expect(looks.length).toBeGreaterThanOrEqual(3);
    for (const [index, at] of looks.slice(1).entries()) {
      expect(at - (looks[index] ?? 0)).toBeGreaterThanOrEqual(10_000);
    }
  });

  test('is looked for three times after an outage of two minutes', async () => {
    await using queue = await openQueue({ replicas: 0, random: () => 0 });
    await queue.put();
    const first = await queue.openReplica({ diesAt: 'before-send' });
    await queue.time.runUntil(first.isDown);
    queue.emulator.faults.add({ ...refusal, operation: 'DescribeExportTasks', count: 100_000 });
    await queue.openReplica();
    await queue.time.runFor(200_000);

    queue.emulator.faults.clear();
    const clearedAt = queue.time.now();
    await queue.time.runUntil(() => queue.calls('CreateExportTask').length === 1);

    const [create] = queue.calls('CreateExportTask');
    expect((create?.at ?? 0) - clearedAt).toBeGreaterThanOrEqual(20_000);
    expect(looksOf(queue).filter((at) => at >= clearedAt).length).toBeGreaterThanOrEqual(3);
  });

  test('is looked for by a new owner for 90 seconds or more', async () => {
    await using queue = await openQueue({ replicas: 0 });
    await queue.put();
    const first = await queue.openReplica({ diesAt: 'before-send' });
    await queue.time.runUntil(first.isDown);
    queue.emulator.clock.advance(600_000);
    const takenAt = queue.time.now();

    await queue.openReplica();
    await queue.time.runUntil(() => queue.calls('CreateExportTask').length === 1);

    const [create] = queue.calls('CreateExportTask');
    expect((create?.at ?? 0) - takenAt).toBeGreaterThanOrEqual(90_000);
    expect((create?.at ?? 0) - takenAt).toBeLessThanOrEqual(110_000);
  });

  test('never counts as absent while all listings fail', async () => {
    await using queue = await openQueue({ replicas: 2 });
    lose(queue, { kind: 'late-effect', delayMs: 200_000 });
    queue.emulator.faults.add({
      ...refusal,
      operation: 'DescribeExportTasks',
      count: 100_000,
    });
    const jobId = await queue.put();

    await queue.time.runFor(300_000);
    const meanwhile = await queue.states(jobId);
    queue.emulator.faults.clear();
    await queue.runUntilDone();

    expect(meanwhile).toEqual(['starting']);
    expect(await queue.states(jobId)).toEqual(['completed']);
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
  });

  test('never counts as absent while each listing fails at its last page', async () => {
    await using queue = await openQueue();
    queue.emulator.seed.finishedTasks({ region: 'eu-west-1', count: 100, spacingMs: 1_000 });
    lose(queue, { kind: 'reset-before' });
    const jobId = await queue.put();
    // A listing is four pages: RUNNING, PENDING, the newest 50, the next 50.
    const theFourth: Fault = {
      ...refusal,
      operation: 'DescribeExportTasks',
      skip: 3,
    };
    while (queue.time.now() < startAt + 200_000) {
      if (queue.emulator.faults.pending().length === 0) queue.emulator.faults.add(theFourth);
      await queue.time.runFor(500);
    }

    expect(await queue.states(jobId)).toEqual(['starting']);
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
  });

  test('behind 19,000 old tasks: takes at most eight calls per listing', async () => {
    await using queue = await openQueue();
    queue.emulator.seed.finishedTasks({ region: 'eu-west-1', count: 19_000, spacingMs: 5_000 });
    lose(queue, { kind: 'reset-before' });
    await queue.put();

    await queue.time.runUntil(() => queue.calls('CreateExportTask').length === 2);

    const listings = queue.calls('DescribeExportTasks');
    const firsts = listings.flatMap(({ input }, index) => (isFirst(input) ? [index] : []));
    const lengths = firsts.slice(1).map((at, index) => at - (firsts[index] ?? 0));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(8);
    expect(Math.max(...lengths)).toBeGreaterThan(3);
  });
});

const isFirst = (input: unknown) => (input as { statusCode?: string }).statusCode === 'RUNNING';

/** When each whole listing began. */
const looksOf = (queue: Queue) =>
  queue
    .calls('DescribeExportTasks')
    .filter(({ input }) => isFirst(input))
    .map(({ at }) => at);
