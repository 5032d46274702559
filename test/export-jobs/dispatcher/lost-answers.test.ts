import type { EmulatorOptions, Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import { startAt } from '../put-job.ts';
import { type Line, openLine, refusal } from '../queue-of-jobs.ts';

// What can happen to the one call that cannot be repeated. In every row one task is made, and none
// is lost.

type CreateFault = Fault extends infer Kind
  ? Kind extends Fault
    ? Omit<Kind, 'operation'>
    : never
  : never;

/** The task is still running when somebody looks; or it is over at once. */
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

const lose = (line: Line, fault: CreateFault) =>
  line.emulator.faults.add({ ...fault, operation: 'CreateExportTask' } as Fault);

const attemptsOf = ({ database }: Line) =>
  database.queries.selectFrom('attempts').selectAll().orderBy('attempt').execute();

describe('a create that took effect, and its answer is lost', () => {
  test.each(tookEffect)(
    '%s: the task is found by its marker and counts',
    async (_row, emulator, fault) => {
      await using line = await openLine({ emulator, isSilenceShort: true });
      lose(line, fault);
      const jobId = await line.put();

      await line.runUntilDone();

      const [task, ...others] = line.emulator.exportTasks();
      expect(others).toEqual([]);
      expect(await line.states(jobId)).toEqual(['completed']);
      expect(await attemptsOf(line)).toMatchObject([
        { attempt: 1, taskId: task?.taskId, outcome: 'completed' },
      ]);
      expect(line.calls('CreateExportTask')).toHaveLength(1);
    },
  );

  test('late, but before it is called absent: it is found all the same', async () => {
    await using line = await openLine();
    lose(line, { kind: 'late-effect', delayMs: 100_000 });
    const jobId = await line.put();

    await line.runUntilDone();

    expect(await line.states(jobId)).toEqual(['completed']);
    expect(line.emulator.exportTasks()).toHaveLength(1);
    expect(line.calls('CreateExportTask')).toHaveLength(1);
  });

  test('hidden by a listing that lags: it is found when the listing has caught up', async () => {
    await using line = await openLine();
    lose(line, { kind: 'reset-after' });
    line.emulator.faults.add({
      ...{ kind: 'stale-listing', operation: 'DescribeExportTasks', lagMs: 60_000, count: 1_000 },
    });
    const jobId = await line.put();

    await line.time.runUntil(async () => (await line.states(jobId))[0] === 'running');
    line.emulator.faults.clear();
    await line.runUntilDone();

    expect(line.time.now() - startAt).toBeGreaterThan(60_000);
    expect(line.emulator.exportTasks()).toHaveLength(1);
  });

  test('behind 19,000 old tasks: it is found by the third listing at the latest', async () => {
    await using line = await openLine({ emulator: isOverAtOnce });
    line.emulator.seed.finishedTasks({ region: 'eu-west-1', count: 19_000, spacingMs: 3_000 });
    lose(line, { kind: 'reset-after' });
    await line.put();

    await line.runUntilDone();

    const listings = line.calls('DescribeExportTasks').filter(({ input }) => !isById(input));
    expect(listings.length).toBeLessThanOrEqual(3);
  });
});

const isById = (input: unknown) => (input as { taskId?: string }).taskId !== undefined;

describe('a create that took no effect, and its answer is lost', () => {
  test.each(tookNone)(
    '%s: it is sent again under a new marker into a new prefix',
    async (_row, fault) => {
      await using line = await openLine({ isSilenceShort: true });
      lose(line, fault);
      const jobId = await line.put();

      await line.runUntilDone();

      const [task, ...others] = line.emulator.exportTasks();
      expect(others).toEqual([]);
      expect(await line.states(jobId)).toEqual(['completed']);
      const attempts = await attemptsOf(line);
      expect(attempts).toMatchObject([
        { taskId: null, outcome: 'not-created' },
        { taskId: task?.taskId, marker: task?.taskName, outcome: 'completed' },
      ]);
      expect(new Set(attempts.map(({ marker }) => marker)).size).toBe(2);
      expect(new Set(attempts.map(({ destinationPrefix }) => destinationPrefix)).size).toBe(2);
      const [slice] = await line.database.queries.selectFrom('slices').selectAll().execute();
      expect(slice?.failures).toBe(0);
    },
  );

  test('it is absent after two minutes and three whole listings well apart, not before', async () => {
    await using line = await openLine();
    lose(line, { kind: 'reset-before' });
    await line.put();

    await line.time.runUntil(() => line.calls('CreateExportTask').length === 2);

    const [first, second] = line.calls('CreateExportTask');
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(120_000);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeLessThanOrEqual(140_000);
    const looks = looksOf(line).filter((at) => at - (first?.at ?? 0) > 12_000);
    expect(looks.length).toBeGreaterThanOrEqual(3);
    for (const [index, at] of looks.slice(1).entries()) {
      expect(at - (looks[index] ?? 0)).toBeGreaterThanOrEqual(10_000);
    }
  });

  test('a new owner after two minutes still looks three times, well apart', async () => {
    await using line = await openLine({ replicas: 0 });
    await line.put();
    const first = await line.openReplica({ diesAt: 'before-send' });
    await line.time.runUntil(first.isDown);
    line.emulator.clock.advance(600_000);
    const takenAt = line.time.now();

    await line.openReplica();
    await line.time.runUntil(() => line.calls('CreateExportTask').length === 1);

    const [create] = line.calls('CreateExportTask');
    expect((create?.at ?? 0) - takenAt).toBeGreaterThanOrEqual(20_000);
    expect((create?.at ?? 0) - takenAt).toBeLessThanOrEqual(40_000);
    expect(looksOf(line)).toHaveLength(3);
  });

  test('a listing that fails says nothing: while all fail, it is never called absent', async () => {
    await using line = await openLine({ replicas: 2 });
    lose(line, { kind: 'late-effect', delayMs: 200_000 });
    line.emulator.faults.add({
      ...{ ...refusal, operation: 'DescribeExportTasks', count: 100_000 },
    });
    const jobId = await line.put();

    await line.time.runFor(300_000);
    const meanwhile = await line.states(jobId);
    line.emulator.faults.clear();
    await line.runUntilDone();

    expect(meanwhile).toEqual(['starting']);
    expect(await line.states(jobId)).toEqual(['completed']);
    expect(line.calls('CreateExportTask')).toHaveLength(1);
  });

  test('a listing that always breaks off at its last page says nothing', async () => {
    await using line = await openLine();
    line.emulator.seed.finishedTasks({ region: 'eu-west-1', count: 100, spacingMs: 1_000 });
    lose(line, { kind: 'reset-before' });
    const jobId = await line.put();
    // A listing is four pages: RUNNING, PENDING, the newest 50, the next 50.
    const theFourth: Fault = {
      ...{ ...refusal, operation: 'DescribeExportTasks', skip: 3 },
    };
    while (line.time.now() < startAt + 200_000) {
      if (line.emulator.faults.pending().length === 0) line.emulator.faults.add(theFourth);
      await line.time.runFor(500);
    }

    expect(await line.states(jobId)).toEqual(['starting']);
    expect(line.calls('CreateExportTask')).toHaveLength(1);
  });

  test('behind 19,000 old tasks: a whole listing is eight calls at most', async () => {
    await using line = await openLine();
    line.emulator.seed.finishedTasks({ region: 'eu-west-1', count: 19_000, spacingMs: 5_000 });
    lose(line, { kind: 'reset-before' });
    await line.put();

    await line.time.runUntil(() => line.calls('CreateExportTask').length === 2);

    const listings = line.calls('DescribeExportTasks');
    const firsts = listings.flatMap(({ input }, index) => (isFirst(input) ? [index] : []));
    const lengths = firsts.slice(1).map((at, index) => at - (firsts[index] ?? 0));
    expect(Math.max(...lengths)).toBeLessThanOrEqual(8);
    expect(Math.max(...lengths)).toBeGreaterThan(3);
  });
});

const isFirst = (input: unknown) => (input as { statusCode?: string }).statusCode === 'RUNNING';

/** When each whole listing began. */
const looksOf = (line: Line) =>
  line
    .calls('DescribeExportTasks')
    .filter(({ input }) => isFirst(input))
    .map(({ at }) => at);
