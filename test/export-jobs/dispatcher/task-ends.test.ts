import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { openQueue, type Queue } from '../open-queue.ts';

const attemptsOf = ({ database }: Queue) =>
  database.queries.selectFrom('attempts').selectAll().orderBy('attempt').execute();

const problemOf = async (queue: Queue) => JSON.parse((await queue.slices())[0]?.problem ?? 'null');

/** Replaces the answer of DescribeExportTasks for some calls. */
const say = (queue: Queue, answer: unknown, count = 100_000) =>
  queue.emulator.faults.add({
    kind: 'replace-body',
    operation: 'DescribeExportTasks',
    count,
    body: JSON.stringify(answer),
  });

/** Inserts a job of one slice and waits until it runs. */
async function run(queue: Queue): Promise<string> {
  await queue.put();
  await queue.time.runUntil(async () => (await queue.states())[0] === 'running');
  const [task] = queue.emulator.exportTasks();
  return task?.taskId ?? '';
}

const seed = Math.floor(Math.random() * 2 ** 31);

describe('a task that ends FAILED', () => {
  const fails: Fault = { kind: 'task-fails', operation: 'CreateExportTask' };

  // Its window cannot be split.
  const sliceMs = 60_000;

  test('is retried after half a minute and after two, with new prefixes', async () => {
    await using queue = await openQueue();
    queue.emulator.faults.add({ ...fails, count: 2 });
    const jobId = await queue.put({ sliceMs });

    await queue.runUntilDone();

    expect(await queue.slices(jobId)).toEqual([{ state: 'completed', attempt: 3, problem: null }]);
    const attempts = await attemptsOf(queue);
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

  test('three times fails its slice with the problem, while the others continue', async () => {
    await using queue = await openQueue();
    queue.emulator.faults.add(fails);
    queue.emulator.faults.add({ ...fails, skip: 1, count: 2 });
    const bad = await queue.put({ caller: 'a', sliceMs });
    const good = await queue.put({ caller: 'b' });

    await queue.runUntilDone();

    expect(await queue.states(good)).toEqual(['completed']);
    expect(await queue.slices(bad)).toMatchObject([{ state: 'failed', attempt: 3 }]);
    expect(await problemOf({ ...queue, slices: () => queue.slices(bad) })).toMatchObject({
      type: '/problems/export-task-failed',
      isRetryable: false,
    });
    expect(queue.calls('CreateExportTask')).toHaveLength(4);
  });

  test('is not retried if the cancel of its job was requested', async () => {
    await using queue = await openQueue({ emulator: { runningMs: 60_000 } });
    const taskId = await run(queue);
    queue.emulator.faults.add({ kind: 'error', operation: 'CancelExportTask', count: 100 });
    const [job] = await queue.database.queries.selectFrom('jobs').select('id').execute();
    await queue.cancel(job?.id ?? '');
    queue.emulator.seed.taskFailure({ taskId });

    await queue.runUntilDone();

    expect(await queue.states()).toEqual(['failed']);
  });
});

describe('a task that is cancelled elsewhere', () => {
  test('fails its slice with export-task-cancelled, without a retry', async () => {
    await using queue = await openQueue({ emulator: { runningMs: 60_000 } });
    const taskId = await run(queue);
    const target = queue.targets.find('default');
    await target.logs.cancelExportTask(taskId);

    await queue.runUntilDone();

    expect(await queue.states()).toEqual(['failed']);
    expect(await problemOf(queue)).toMatchObject({ type: '/problems/export-task-cancelled' });
    expect(await attemptsOf(queue)).toMatchObject([{ outcome: 'cancelled', taskId }]);
  });
});

describe('a task that AWS does not list', () => {
  test('logs an error after 15 minutes, and ends when AWS lists it again', async () => {
    await using queue = await openQueue({ emulator: { runningMs: 3_600_000 } });
    await run(queue);
    say(queue, { exportTasks: [] });

    await queue.time.runFor(60_000);
    queue.emulator.clock.advance(13 * 60_000);
    await queue.time.runFor(30_000);
    const early = alarms(queue).length;
    await queue.time.runFor(60_000);
    const late = alarms(queue).length;
    const meanwhile = await queue.states();
    queue.emulator.faults.clear();
    queue.emulator.clock.advance(3_600_000);
    await queue.runUntilDone();

    expect(early).toBe(0);
    expect(late).toBe(1);
    expect(meanwhile).toEqual(['running']);
    expect(await queue.states()).toEqual(['completed']);
  });

  test('for more than a day fails its slice with export-task-vanished', async () => {
    await using queue = await openQueue();
    await run(queue);
    say(queue, { exportTasks: [] });

    await queue.time.runFor(60_000);
    queue.emulator.clock.advance(24 * 3_600_000);
    await queue.time.runFor(60_000);
    const afterADay = await queue.states();
    queue.emulator.clock.advance(3_600_000);
    await queue.runUntilDone();

    expect(afterADay).toEqual(['running']);
    expect(await queue.states()).toEqual(['failed']);
    expect(await problemOf(queue)).toMatchObject({ type: '/problems/export-task-vanished' });
  });

  test('does not affect the next task', async () => {
    await using queue = await openQueue();
    await run(queue);
    say(queue, { exportTasks: [] }, 1);
    await queue.time.runFor(3_000);
    expect(await queue.states()).toEqual(['completed']);
    say(queue, { exportTasks: [] }, 3);
    queue.emulator.clock.advance(3_600_000);

    await queue.put();
    await queue.runUntilDone();

    expect(alarms(queue)).toEqual([]);
  });
});

const alarms = ({ log }: Queue) =>
  log.filter(
    ({ text, level }) =>
      level === 'error' && text === 'AWS did not list the task of a running slice',
  );

describe('an unexpected answer', () => {
  test.each(['PAUSED', 'completed', 'active', ''])(
    'with the state %j does not end the task',
    async (code) => {
      await using queue = await openQueue();
      const taskId = await run(queue);
      say(queue, { exportTasks: [{ taskId, status: { code } }] });

      await queue.time.runFor(10_000);
      queue.emulator.clock.advance(15 * 60_000);
      await queue.time.runFor(10_000);
      const meanwhile = await queue.states();
      queue.emulator.faults.clear();
      await queue.runUntilDone();

      expect(meanwhile).toEqual(['running']);
      expect(alarms(queue)).toHaveLength(1);
      expect(queue.calls('CreateExportTask')).toHaveLength(1);
      expect(await queue.states()).toEqual(['completed']);
    },
  );

  test('with an end and no times ends the task', async () => {
    await using queue = await openQueue();
    const taskId = await run(queue);
    say(queue, { exportTasks: [{ taskId, status: { code: 'COMPLETED' }, executionInfo: null }] });

    await queue.runUntilDone();

    expect(await attemptsOf(queue)).toMatchObject([
      { outcome: 'completed', taskCreatedAt: null, taskCompletedAt: null },
    ]);
  });

  test(`of any kind ends no task and breaks nothing (seed ${seed})`, async () => {
    await using queue = await openQueue({ emulator: { runningMs: 3_600_000 } });
    const taskId = await run(queue);
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
          // Answers with an end are left out: the tests above have them.
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
    for (const each of answers) say(queue, each, 1);

    await queue.time.runUntil(() => queue.emulator.faults.pending().length === 0);
    const meanwhile = await queue.states();
    queue.emulator.clock.advance(3_600_000);
    await queue.runUntilDone();

    expect(meanwhile).toEqual(['running']);
    expect(await queue.states()).toEqual(['completed']);
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
    expect(queue.calls('CancelExportTask')).toEqual([]);
  });
});
