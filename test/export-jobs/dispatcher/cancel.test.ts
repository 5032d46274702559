import { describe, expect, test } from 'vitest';

import { openQueue, type Queue, refusal } from '../open-queue.ts';

const isIn = (queue: Queue, jobId: string, state: string) => async () =>
  (await queue.states(jobId)).includes(state);

const statuses = ({ emulator }: Queue) => emulator.exportTasks().map(({ status }) => status);

describe('the cancel of a job', () => {
  test('ends waiting slices at once, and sends one cancel for the running task', async () => {
    await using queue = await openQueue({ emulator: { runningMs: 60_000 } });
    const jobId = await queue.put({ slices: 3 });
    await queue.time.runUntil(isIn(queue, jobId, 'running'));

    await queue.cancel(jobId);
    const atOnce = await queue.states(jobId);
    await queue.runUntilDone();

    expect(atOnce).toEqual(['running', 'cancelled', 'cancelled']);
    expect(await queue.states(jobId)).toEqual(['cancelled', 'cancelled', 'cancelled']);
    expect(queue.calls('CancelExportTask')).toHaveLength(1);
    expect(statuses(queue)).toEqual(['CANCELLED']);
    const types = await queue.database.queries
      .selectFrom('events')
      .select('type')
      .orderBy('version')
      .execute();
    expect(types.map(({ type }) => type)).toEqual([
      'job-accepted',
      'slice-starting',
      'slice-running',
      'job-cancel-requested',
      'slices-cancelled',
      'slice-cancelling',
      'slice-cancelled',
    ]);
  });

  test('frees the slot for the next job', async () => {
    await using queue = await openQueue({ emulator: { runningMs: 60_000 } });
    const jobId = await queue.put();
    const next = await queue.put({ caller: 'other' });
    await queue.time.runUntil(isIn(queue, jobId, 'running'));

    await queue.cancel(jobId);
    await queue.time.runUntil(isIn(queue, next, 'running'));

    expect(await queue.states(jobId)).toEqual(['cancelled']);
  });

  test('leaves the outcome to AWS if the task completes at the same time', async () => {
    await using queue = await openQueue();
    const jobId = await queue.put();
    await queue.time.runUntil(isIn(queue, jobId, 'running'));

    queue.emulator.clock.advance(60_000);
    await queue.cancel(jobId);
    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['completed']);
    const codes = queue.calls('CancelExportTask').map(({ errorCode }) => errorCode);
    expect(new Set(codes)).toEqual(new Set(['InvalidOperationException']));
  });

  test.each([0, 400, 800, 1_200, 1_600, 1_950, 2_000, 2_050])(
    'at %i ms of a task of two seconds ends with the outcome of AWS',
    async (ageMs) => {
      await using queue = await openQueue();
      const jobId = await queue.put();
      await queue.time.runUntil(isIn(queue, jobId, 'running'));

      await queue.time.runFor(ageMs);
      await queue.cancel(jobId);
      await queue.runUntilDone();

      const [status] = statuses(queue);
      expect(await queue.states(jobId)).toEqual([status?.toLowerCase()]);
    },
  );

  test('is sent again after a lost answer, and ends cancelled', async () => {
    await using queue = await openQueue({ emulator: { runningMs: 60_000 } });
    queue.emulator.faults.add({ kind: 'reset-after', operation: 'CancelExportTask', count: 3 });
    const jobId = await queue.put();
    await queue.time.runUntil(isIn(queue, jobId, 'running'));

    await queue.cancel(jobId);
    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['cancelled']);
  });

  test('is sent again if AWS answers that it does not know the task', async () => {
    await using queue = await openQueue({ emulator: { runningMs: 3_600_000 } });
    const unknown = { ...refusal, code: 'ResourceNotFoundException' };
    queue.emulator.faults.add({ ...unknown, operation: 'CancelExportTask' });
    const jobId = await queue.put();
    await queue.time.runUntil(isIn(queue, jobId, 'running'));

    await queue.cancel(jobId);
    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['cancelled']);
    expect(queue.calls('CancelExportTask')).toHaveLength(2);
  });

  test('does not hide the end of the task if AWS refuses it', async () => {
    await using queue = await openQueue();
    queue.emulator.faults.add({ ...refusal, operation: 'CancelExportTask', count: 100_000 });
    const jobId = await queue.put();
    await queue.time.runUntil(isIn(queue, jobId, 'running'));

    await queue.cancel(jobId);
    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['completed']);
    expect(queue.calls('CancelExportTask').length).toBeGreaterThan(0);
  });

  test('between the intent and the answer finds the created task and cancels it', async () => {
    await using queue = await openQueue({ emulator: { runningMs: 60_000 } });
    queue.emulator.faults.add({ kind: 'reset-after', operation: 'CreateExportTask' });
    const jobId = await queue.put({ slices: 2 });
    await queue.time.runUntil(isIn(queue, jobId, 'starting'));

    await queue.cancel(jobId);
    await queue.runUntilDone();

    expect(await queue.states(jobId)).toEqual(['cancelled', 'cancelled']);
    expect(statuses(queue)).toEqual(['CANCELLED']);
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
  });

  test('of a slice whose create had no effect never sends it again', async () => {
    await using queue = await openQueue();
    queue.emulator.faults.add({ kind: 'reset-before', operation: 'CreateExportTask' });
    const jobId = await queue.put();
    await queue.time.runUntil(isIn(queue, jobId, 'starting'));

    await queue.cancel(jobId);
    await queue.runUntilDone();
    await queue.time.runFor(10_000);

    expect(await queue.states(jobId)).toEqual(['cancelled']);
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
    expect(queue.calls('CancelExportTask')).toEqual([]);
    expect(queue.emulator.exportTasks()).toEqual([]);
  });

  test.each([
    ['throttled', { kind: 'error', code: 'ThrottlingException' } as const],
    ['told that the slot is taken', { kind: 'foreign-task', durationMs: 5_000 } as const],
  ])('while its create is %s does not return the slice to the queue', async (_what, fault) => {
    let cancelIt = async () => {};
    await using queue = await openQueue({
      reach: async (point) => {
        if (point === 'before-outcome') await cancelIt();
      },
    });
    queue.emulator.faults.add({ ...fault, operation: 'CreateExportTask' });
    const jobId = await queue.put();
    cancelIt = () => queue.cancel(jobId);

    await queue.runUntilDone();
    await queue.time.runFor(20_000);

    expect(await queue.states(jobId)).toEqual(['cancelled']);
    expect(queue.calls('CreateExportTask')).toHaveLength(1);
  });
});
