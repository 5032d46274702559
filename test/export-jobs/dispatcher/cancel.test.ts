import { describe, expect, test } from 'vitest';

import { type Line, openLine, refusal } from '../queue-of-jobs.ts';

const isIn = (line: Line, jobId: string, state: string) => async () =>
  (await line.states(jobId)).includes(state);

const statuses = ({ emulator }: Line) => emulator.exportTasks().map(({ status }) => status);

describe('the cancel of a job', () => {
  test('ends what waits at once, and its running task at AWS, asked for once', async () => {
    await using line = await openLine({ emulator: { runningMs: 60_000 } });
    const jobId = await line.put({ slices: 3 });
    await line.time.runUntil(isIn(line, jobId, 'running'));

    await line.cancel(jobId);
    const atOnce = await line.states(jobId);
    await line.runUntilDone();

    expect(atOnce).toEqual(['running', 'cancelled', 'cancelled']);
    expect(await line.states(jobId)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(line.calls('CancelExportTask')).toHaveLength(1);
    expect(statuses(line)).toEqual(['CANCELLED']);
    const types = await line.database.queries
      .selectFrom('events')
      .select('type')
      .orderBy('version')
      .execute();
    expect(types.map(({ type }) => type)).toEqual([
      ...['job-accepted', 'slice-starting', 'slice-running', 'job-cancel-requested'],
      ...['slices-cancelled', 'slice-cancelling', 'slice-cancelled'],
    ]);
  });

  test('frees the slot for the next job', async () => {
    await using line = await openLine({ emulator: { runningMs: 60_000 } });
    const jobId = await line.put();
    const next = await line.put({ caller: 'other' });
    await line.time.runUntil(isIn(line, jobId, 'running'));

    await line.cancel(jobId);
    await line.time.runUntil(isIn(line, next, 'running'));

    expect(await line.states(jobId)).toEqual(['cancelled']);
  });

  test('that comes as the task completes leaves AWS the last word', async () => {
    await using line = await openLine();
    const jobId = await line.put();
    await line.time.runUntil(isIn(line, jobId, 'running'));

    line.emulator.clock.advance(60_000);
    await line.cancel(jobId);
    await line.runUntilDone();

    expect(await line.states(jobId)).toEqual(['completed']);
    const codes = line.calls('CancelExportTask').map(({ errorCode }) => errorCode);
    expect(new Set(codes)).toEqual(new Set(['InvalidOperationException']));
  });

  test.each([0, 400, 800, 1_200, 1_600, 1_950, 2_000, 2_050])(
    'at %i ms of a task of two seconds ends as AWS says',
    async (ageMs) => {
      await using line = await openLine();
      const jobId = await line.put();
      await line.time.runUntil(isIn(line, jobId, 'running'));

      await line.time.runFor(ageMs);
      await line.cancel(jobId);
      await line.runUntilDone();

      const [status] = statuses(line);
      expect(await line.states(jobId)).toEqual([status?.toLowerCase()]);
    },
  );

  test('whose answer is lost is asked for again, and ends cancelled', async () => {
    await using line = await openLine({ emulator: { runningMs: 60_000 } });
    line.emulator.faults.add({ kind: 'reset-after', operation: 'CancelExportTask', count: 3 });
    const jobId = await line.put();
    await line.time.runUntil(isIn(line, jobId, 'running'));

    await line.cancel(jobId);
    await line.runUntilDone();

    expect(await line.states(jobId)).toEqual(['cancelled']);
  });

  test('that AWS does not take does not keep the end of the task from being seen', async () => {
    await using line = await openLine();
    line.emulator.faults.add({ ...refusal, operation: 'CancelExportTask', count: 100_000 });
    const jobId = await line.put();
    await line.time.runUntil(isIn(line, jobId, 'running'));

    await line.cancel(jobId);
    await line.runUntilDone();

    expect(await line.states(jobId)).toEqual(['completed']);
    expect(line.calls('CancelExportTask').length).toBeGreaterThan(0);
  });

  test('between the intent and the answer: the task is created, found and cancelled', async () => {
    await using line = await openLine({ emulator: { runningMs: 60_000 } });
    line.emulator.faults.add({ kind: 'reset-after', operation: 'CreateExportTask' });
    const jobId = await line.put({ slices: 2 });
    await line.time.runUntil(isIn(line, jobId, 'starting'));

    await line.cancel(jobId);
    await line.runUntilDone();

    expect(await line.states(jobId)).toEqual(['cancelled', 'cancelled']);
    expect(statuses(line)).toEqual(['CANCELLED']);
    expect(line.calls('CreateExportTask')).toHaveLength(1);
  });

  test('of a slice whose create never took effect: it is cancelled, and never sent again', async () => {
    await using line = await openLine();
    line.emulator.faults.add({ kind: 'reset-before', operation: 'CreateExportTask' });
    const jobId = await line.put();
    await line.time.runUntil(isIn(line, jobId, 'starting'));

    await line.cancel(jobId);
    await line.runUntilDone();
    await line.time.runFor(10_000);

    expect(await line.states(jobId)).toEqual(['cancelled']);
    expect(line.calls('CreateExportTask')).toHaveLength(1);
    expect(line.calls('CancelExportTask')).toEqual([]);
    expect(line.emulator.exportTasks()).toEqual([]);
  });

  test.each([
    ['throttled', { kind: 'error', code: 'ThrottlingException' } as const],
    ['told that the slot is taken', { kind: 'foreign-task', durationMs: 5_000 } as const],
  ])('while its create is %s: the slice does not go back into line', async (_what, fault) => {
    let cancelIt = async () => {};
    await using line = await openLine({
      reach: async (point) => {
        if (point === 'before-outcome') await cancelIt();
      },
    });
    line.emulator.faults.add({ ...fault, operation: 'CreateExportTask' });
    const jobId = await line.put();
    cancelIt = () => line.cancel(jobId);

    await line.runUntilDone();
    await line.time.runFor(20_000);

    expect(await line.states(jobId)).toEqual(['cancelled']);
    expect(line.calls('CreateExportTask')).toHaveLength(1);
  });
});
