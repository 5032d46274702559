import { startChild } from '../../child.ts';
import { subjectCore, supportCore } from '../../machine.ts';
import type { QueueRun, QueueRunRequest } from '../../processes/virtual-time-queue.ts';
import type { Scale, World } from '../../scale.ts';

/** The duration of a long queue, relative to the total time of its tasks, in virtual time. */
export async function measureMakespan(
  _world: World,
  { logGroups, days }: Scale,
): Promise<string[]> {
  // Both run in virtual time, so they do not disturb each other.
  return Promise.all([
    formatQueueRun({ logGroups, days, taskSeconds: 2 }, 1.3, subjectCore),
    formatQueueRun({ logGroups, days, taskSeconds: 60 }, 1.02, supportCore),
  ]);
}

async function formatQueueRun(
  queue: QueueRunRequest,
  goal: number,
  core: number | undefined,
): Promise<string> {
  await using child = startChild({ script: 'bench/processes/virtual-time-queue.ts', core });
  await child.whenReady();
  const { slices, ratio, tookSeconds } = await child.call<QueueRun>(queue);
  const name = `makespan, ${queue.taskSeconds} s`.padEnd(20);
  return `${name} ${ratio.toFixed(3)} × the time of ${slices} tasks (goal ≤ ${goal}), run in ${tookSeconds.toFixed(0)} s`;
}
