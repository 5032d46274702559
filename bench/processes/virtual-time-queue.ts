import { randomUUID } from 'node:crypto';
import { planSlices } from '#export-jobs/planning/plan-slices.ts';
import { acceptJob } from '#export-jobs/store/requests/accept-job.ts';
import { planOf } from '../../test/export-jobs/accepted-jobs.ts';
import { requestOf } from '../../test/export-jobs/caller-requests.ts';
import { openQueue } from '../../test/export-jobs/open-queue.ts';
import { logGroupNames, region } from '../requests.ts';

/** The size of a job (at most a hundred log groups), and the duration of its tasks. */
export interface QueueRunRequest {
  logGroups: number;
  days: number;
  taskSeconds: number;
}

/** The result of a run. */
export interface QueueRun {
  slices: number;
  /** The time from acceptance to the end of the last task, divided by the total time of the tasks. */
  ratio: number;
  /** The real time of the run. */
  tookSeconds: number;
}

process.on('disconnect', () => process.exit());
process.on('message', async (queue: QueueRunRequest) => process.send?.(await run(queue)));
process.send?.({});

const dayMs = 86_400_000;

async function run({ logGroups, days, taskSeconds }: QueueRunRequest): Promise<QueueRun> {
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
  const slicing = {
    window,
    sliceBy: 'day',
    timeZone: 'UTC',
    now,
    isUnsettledAllowed: false,
  } as const;
  const slicesOfPlan = await planSlices({ logGroupNames: names, ...slicing });
  const plan = { ...planOf(0), slices: slicesOfPlan };
  const acceptance = { jobId: randomUUID(), request: requestOf('bench'), acceptedAt: now };
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
