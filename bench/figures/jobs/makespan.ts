import { startChild } from '../../child.ts';
import { makeFolderInMemory } from '../../folder.ts';
import { othersCore, subjectCore } from '../../machine.ts';
import type { QueueRun, QueueToRun } from '../../processes/line.ts';
import type { Scale, World } from '../../scale.ts';

/** How much longer a long queue takes than its tasks, in turned time. */
export async function measureMakespan(
  _world: World,
  { logGroups, days }: Scale,
): Promise<string[]> {
  // Time is turned, so nobody is in anybody's way.
  return Promise.all([
    tellLine({ logGroups, days, taskSeconds: 2 }, 1.3, subjectCore),
    tellLine({ logGroups, days, taskSeconds: 60 }, 1.02, othersCore),
  ]);
}

async function tellLine(
  queue: QueueToRun,
  goal: number,
  core: number | undefined,
): Promise<string> {
  await using child = startChild({
    script: 'bench/processes/queue.ts',
    core,
    env: { TMPDIR: makeFolderInMemory() }, // what a disk takes is nothing beside a task
  });
  await child.hello();
  const { slices, ratio, tookSeconds } = await child.ask<QueueRun>(queue);
  const name = `makespan, ${queue.taskSeconds} s`.padEnd(20);
  return `${name} ${ratio.toFixed(3)} × the time of ${slices} tasks (goal ≤ ${goal}), run in ${tookSeconds.toFixed(0)} s`;
}
