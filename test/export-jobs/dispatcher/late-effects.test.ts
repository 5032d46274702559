import { expect, test } from 'vitest';

import { dispatcherLimits } from '#export-jobs/dispatcher/limits.ts';
import { openLine } from '../queue-of-jobs.ts';

test('a stray is found within two sweeps also while every answer is lost', async () => {
  await using line = await openLine();
  const { settleMs, sweepEveryMs } = dispatcherLimits;
  const fault = { kind: 'late-effect', delayMs: 1.5 * settleMs } as const;
  line.emulator.faults.add({ ...fault, operation: 'CreateExportTask', count: 100 });
  await line.put({ slices: 10 });

  await line.time.runFor(10 * settleMs);

  const now = line.time.now();
  const strays = await line.database.queries.selectFrom('strays').select('taskId').execute();
  const tasks = line.emulator.exportTasks();
  const due = tasks.filter(({ createdAt }) => createdAt < now - 2 * sweepEveryMs);
  expect(due.length).toBeGreaterThan(3);
  expect(strays.map(({ taskId }) => taskId)).toEqual(
    expect.arrayContaining(due.map(({ taskId }) => taskId)),
  );
});
