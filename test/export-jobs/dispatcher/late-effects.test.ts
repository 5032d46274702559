import { expect, test } from 'vitest';

import { dispatcherTimings } from '#export-jobs/dispatcher/timings.ts';
import { openQueue } from '../open-queue.ts';

test('finds an orphaned task within two sweeps, also while every answer is lost', async () => {
  await using queue = await openQueue();
  const { reconcileMs, sweepIntervalMs } = dispatcherTimings;
  const fault = { kind: 'late-effect', delayMs: 1.5 * reconcileMs } as const;
  queue.emulator.faults.add({ ...fault, operation: 'CreateExportTask', count: 100 });
  await queue.put({ slices: 10 });

  await queue.time.runFor(10 * reconcileMs);

  const now = queue.time.now();
  const strays = await queue.database.queries.selectFrom('strays').select('taskId').execute();
  const tasks = queue.emulator.exportTasks();
  const due = tasks.filter(({ createdAt }) => createdAt < now - 2 * sweepIntervalMs);
  expect(due.length).toBeGreaterThan(3);
  expect(strays.map(({ taskId }) => taskId)).toEqual(
    expect.arrayContaining(due.map(({ taskId }) => taskId)),
  );
});
