import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type Line, openLine } from '../queue-of-jobs.ts';

const attemptsOf = ({ database }: Line) =>
  database.queries.selectFrom('attempts').selectAll().orderBy('attempt').execute();

const problemOf = async (line: Line) => JSON.parse((await line.slices())[0]?.problem ?? 'null');

/** What DescribeExportTasks says instead, for so many calls. */
const say = (line: Line, answer: unknown, count = 100_000) =>
  line.emulator.faults.add({
    ...{ kind: 'replace-body', operation: 'DescribeExportTasks', count },
    body: JSON.stringify(answer),
  });

/** Puts a slice into line and waits until it runs. */
async function run(line: Line): Promise<string> {
  await line.put();
  await line.time.runUntil(async () => (await line.states())[0] === 'running');
  const [task] = line.emulator.exportTasks();
  return task?.taskId ?? '';
}

const seed = Math.floor(Math.random() * 2 ** 31);

describe('a task that ends FAILED', () => {
  const fails: Fault = { kind: 'task-fails', operation: 'CreateExportTask' };

  test('is tried again after half a minute, and after two, into new prefixes', async () => {
    await using line = await openLine();
    line.emulator.faults.add({ ...fails, count: 2 });
    const jobId = await line.put();

    await line.runUntilDone();

    expect(await line.slices(jobId)).toEqual([{ state: 'completed', attempt: 3, problem: null }]);
    const attempts = await attemptsOf(line);
    expect(attempts.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'completed']);
    expect(new Set(attempts.map(({ destinationPrefix }) => destinationPrefix)).size).toBe(3);
    const pauses = attempts
      .slice(1)
      .map(({ submittedAt }, index) => submittedAt - (attempts[index]?.endedAt ?? 0));
    expect(pauses[0]).toBeGreaterThanOrEqual(30_000);
    expect(pauses[0]).toBeLessThanOrEqual(30_000 * 1.25 + 1_000);
    expect(pauses[1]).toBeGreaterThanOrEqual(120_000);
    expect(pauses[1]).toBeLessThanOrEqual(120_000 * 1.25 + 1_000);
  });

  test('three times leaves its slice failed, with the problem; the others go on meanwhile', async () => {
    await using line = await openLine();
    line.emulator.faults.add(fails);
    line.emulator.faults.add({ ...fails, skip: 1, count: 2 });
    const bad = await line.put({ caller: 'a' });
    const good = await line.put({ caller: 'b' });

    await line.runUntilDone();

    expect(await line.states(good)).toEqual(['completed']);
    expect(await line.slices(bad)).toMatchObject([{ state: 'failed', attempt: 3 }]);
    expect(await problemOf({ ...line, slices: () => line.slices(bad) })).toMatchObject({
      ...{ type: '/problems/export-task-failed', isRetryable: true },
    });
    expect(line.calls('CreateExportTask')).toHaveLength(4);
  });

  test('of a job whose cancel was asked for is not tried again', async () => {
    await using line = await openLine({ emulator: { runningMs: 60_000 } });
    const taskId = await run(line);
    line.emulator.faults.add({ kind: 'error', operation: 'CancelExportTask', count: 100 });
    const [job] = await line.database.queries.selectFrom('jobs').select('id').execute();
    await line.cancel(job?.id ?? '');
    line.emulator.seed.taskFailure({ taskId });

    await line.runUntilDone();

    expect(await line.states()).toEqual(['failed']);
  });
});

describe('a task that somebody else cancels', () => {
  test('leaves its slice failed with export-task-cancelled, and it is not tried again', async () => {
    await using line = await openLine({ emulator: { runningMs: 60_000 } });
    const taskId = await run(line);
    const target = line.targets.find('default');
    await target.logs.cancelExportTask(taskId);

    await line.runUntilDone();

    expect(await line.states()).toEqual(['failed']);
    expect(await problemOf(line)).toMatchObject({ type: '/problems/export-task-cancelled' });
    expect(await attemptsOf(line)).toMatchObject([{ outcome: 'cancelled', taskId }]);
  });
});

describe('a task that AWS does not list', () => {
  test('is not an end: an alarm after a quarter of an hour, and its end when it is listed again', async () => {
    await using line = await openLine({ emulator: { runningMs: 3_600_000 } });
    await run(line);
    say(line, { exportTasks: [] });

    await line.time.runFor(60_000);
    line.emulator.clock.advance(13 * 60_000);
    await line.time.runFor(30_000);
    const early = alarms(line).length;
    await line.time.runFor(60_000);
    const late = alarms(line).length;
    const meanwhile = await line.states();
    line.emulator.faults.clear();
    line.emulator.clock.advance(3_600_000);
    await line.runUntilDone();

    expect(early).toBe(0);
    expect(late).toBe(1);
    expect(meanwhile).toEqual(['running']);
    expect(await line.states()).toEqual(['completed']);
  });

  test('for more than a day ends its slice with export-task-vanished', async () => {
    await using line = await openLine();
    await run(line);
    say(line, { exportTasks: [] });

    await line.time.runFor(60_000);
    line.emulator.clock.advance(24 * 3_600_000);
    await line.time.runFor(60_000);
    const afterADay = await line.states();
    line.emulator.clock.advance(3_600_000);
    await line.runUntilDone();

    expect(afterADay).toEqual(['running']);
    expect(await line.states()).toEqual(['failed']);
    expect(await problemOf(line)).toMatchObject({ type: '/problems/export-task-vanished' });
  });

  test('says nothing of the next task', async () => {
    await using line = await openLine();
    await run(line);
    say(line, { exportTasks: [] }, 1);
    await line.time.runFor(3_000);
    expect(await line.states()).toEqual(['completed']);
    say(line, { exportTasks: [] }, 3);
    line.emulator.clock.advance(3_600_000);

    await line.put();
    await line.runUntilDone();

    expect(alarms(line)).toEqual([]);
  });
});

const alarms = ({ log }: Line) =>
  log.filter(
    ({ text, level }) =>
      level === 'error' && text === 'AWS does not list the task of a running slice',
  );

describe('an answer that is not understood', () => {
  test.each(['PAUSED', 'completed', 'active', ''])(
    'a task in state %j goes on being watched',
    async (code) => {
      await using line = await openLine();
      const taskId = await run(line);
      say(line, { exportTasks: [{ taskId, status: { code } }] });

      await line.time.runFor(10_000);
      line.emulator.clock.advance(15 * 60_000);
      await line.time.runFor(10_000);
      const meanwhile = await line.states();
      line.emulator.faults.clear();
      await line.runUntilDone();

      expect(meanwhile).toEqual(['running']);
      expect(alarms(line)).toHaveLength(1);
      expect(line.calls('CreateExportTask')).toHaveLength(1);
      expect(await line.states()).toEqual(['completed']);
    },
  );

  test('an end without times is an end', async () => {
    await using line = await openLine();
    const taskId = await run(line);
    say(line, { exportTasks: [{ taskId, status: { code: 'COMPLETED' }, executionInfo: null }] });

    await line.runUntilDone();

    expect(await attemptsOf(line)).toMatchObject([
      { outcome: 'completed', taskCreatedAt: null, taskCompletedAt: null },
    ]);
  });

  test(`whatever the answers are, nothing ends and nothing breaks (seed ${seed})`, async () => {
    await using line = await openLine({ emulator: { runningMs: 3_600_000 } });
    const taskId = await run(line);
    const anything = fc.oneof(
      fc.constant(null),
      fc.string(),
      fc.double(),
      fc.boolean(),
      fc.constant([]),
      fc.constant({}),
    );
    const task = fc.oneof(
      anything,
      fc.record(
        {
          taskId: fc.oneof(fc.constant(taskId), anything),
          taskName: anything,
          // An end is an end, whatever else the answer holds: those are left to the tests above.
          status: fc.oneof(anything, fc.record({ code: anything, message: anything })),
          from: anything,
          to: anything,
          destination: anything,
          executionInfo: fc.oneof(
            anything,
            fc.record({ creationTime: anything, completionTime: anything }),
          ),
        },
        { requiredKeys: [] },
      ),
    );
    const answer = fc.oneof(
      anything,
      fc.record(
        { exportTasks: fc.oneof(anything, fc.array(task, { maxLength: 3 })), nextToken: anything },
        { requiredKeys: [] },
      ),
    );
    const answers = fc.sample(answer, { numRuns: 100, seed });
    for (const each of answers) say(line, each, 1);

    await line.time.runUntil(() => line.emulator.faults.pending().length === 0);
    const meanwhile = await line.states();
    line.emulator.clock.advance(3_600_000);
    await line.runUntilDone();

    expect(meanwhile).toEqual(['running']);
    expect(await line.states()).toEqual(['completed']);
    expect(line.calls('CreateExportTask')).toHaveLength(1);
    expect(line.calls('CancelExportTask')).toEqual([]);
  });
});
