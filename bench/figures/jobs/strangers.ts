import { startChild } from '../../child.ts';
import { makeFolder } from '../../folder.ts';
import { subjectCore } from '../../machine.ts';
import type { Strangers, StrangersSeen } from '../../processes/strangers.ts';
import type { Scale, World } from '../../scale.ts';
import { storageBackends } from './homes.ts';

/** Whether an answer about a job of somebody else tells by its time or its bytes that the job is there. */
export async function measureStrangers(world: World, scale: Scale): Promise<string[]> {
  const lines: string[] = [];
  for (const [name, openStorage] of storageBackends) {
    const home = await openStorage(world);
    const strangers: Strangers = { jobs: scale.strangers, dataDir: makeFolder(), ...home, seed: 1 };
    await using child = startChild({
      script: 'bench/processes/strangers.ts',
      core: subjectCore,
    });
    await child.hello();
    const { routes, isAlike } = await child.ask<StrangersSeen>(strangers);
    const ratios = routes.map(({ ratio }) => ratio);
    const shown = `strangers, ${name.padEnd(10)}`;
    const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
    lines.push(
      `${shown} ${least.toFixed(3)} to ${most.toFixed(3)} × the time of ${scale.strangers} jobs and tasks that are not there (goal 0.95 to 1.05), ${isAlike ? 'same' : 'OTHER'} bytes`,
      `  by route           ${routes.map(({ route, ratio }) => `${route} ${ratio.toFixed(3)}`).join(', ')}`,
    );
  }
  return lines;
}
