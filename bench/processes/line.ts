import { randomUUID } from 'node:crypto';
import { planSlices } from '#export-jobs/planning/plan-slices.ts';
import { acceptJob } from '#export-jobs/store/requests/accept-job.ts';
import { askerOf } from '../../test/export-jobs/deeds.ts';
import { planOf } from '../../test/export-jobs/homes.ts';
import { openQueue } from '../../test/export-jobs/queue-of-jobs.ts';
import { logGroupNames, region } from '../order.ts';

/** A job of some log groups, at most a hundred, and days and how long each of its tasks takes. */
export interface QueueToRun {
  logGroups: number;
  days: number;
  taskSeconds: number;
}

/** What came of it. */
export interface QueueRun {
  slices: number;
  /** From its acceptance to the end of its last task, by the time of all tasks. */
  ratio: number;
  /** In real time. */
  tookSeconds: number;
}

process.on('disconnect', () => process.exit());
process.on('message', async (queue: QueueToRun) => process.send?.(await run(queue)));
process.send?.({});

const dayMs = 86_400_000;

async function run({ logGroups, days, taskSeconds }: QueueToRun): Promise<QueueRun> {
  const beganAt = performance.now();
  const taskMs = taskSeconds * 1_000;
  await using queue = await openQueue({
    emulator: { pendingMs: taskMs / 4, runningMs: (taskMs * 3) / 4 },
  });
  const { database, time, emulator } = queue;
  const names = logGroupNames.slice(0, logGroups);
  for (const logGroupName of names) emulator.seed.logGroup({ region, logGroupName });
  const now = time.now();
  const toAt = now - 2 * dayMs;
  const window = { fromAt: toAt - days * dayMs, toAt };
  const cut = { window, sliceBy: 'day', timeZone: 'UTC', now, isUnsettledAllowed: false } as const;
  const slicesOfPlan = await planSlices({ logGroupNames: names, ...cut });
  const plan = { ...planOf(0), slices: slicesOfPlan };
  const acceptance = { jobId: randomUUID(), request: askerOf('bench'), acceptedAt: now };
  await acceptJob(database, { ...acceptance, keyUse: undefined, plan, maxWaitingSlices: 0 });

  const slices = slicesOfPlan.length;
  const isDone = () =>
    emulator.exportTasks().filter(({ status }) => status === 'COMPLETED').length === slices;
  while (!isDone()) await time.runFor(60_000);

  const endedAt = emulator.exportTasks().at(-1)?.finishedAt ?? Number.NaN;
  return {
    slices,
    ratio: (endedAt - now) / (slices * taskMs),
    tookSeconds: (performance.now() - beganAt) / 1_000,
  };
}
