import { startChild } from '../../child.ts';
import { makeFolder } from '../../folder.ts';
import { subjectCore } from '../../machine.ts';
import type { UnauthorizedReads, UnauthorizedResult } from '../../processes/unauthorized-caller.ts';
import type { Scale, World } from '../../scale.ts';
import { storageBackends } from './storage-backends.ts';

/** Whether an unauthorized caller can tell from the time or the bytes of an answer that a job exists. */
export async function measureUnauthorizedCallers(world: World, scale: Scale): Promise<string[]> {
  await using child = startChild({
    script: 'bench/processes/unauthorized-caller.ts',
    core: subjectCore,
  });
  await child.whenReady();
  const lines: string[] = [];
  for (const [name, openStorage] of storageBackends) {
    const storage = await openStorage(world);
    const reads: UnauthorizedReads = {
      jobs: scale.foreignJobs,
      dataDir: makeFolder(),
      ...storage,
      seed: 1,
    };
    const { routes, hasSameBytes } = await child.call<UnauthorizedResult>(reads);
    const ratios = routes.map(({ ratio }) => ratio);
    const label = `unauthorized, ${name}`.padEnd(24);
    const [min, max] = [Math.min(...ratios), Math.max(...ratios)];
    lines.push(
      `${label} ${min.toFixed(3)} to ${max.toFixed(3)} × the time of ${scale.foreignJobs} jobs and tasks that do not exist (goal 0.95 to 1.05), ${hasSameBytes ? 'same' : 'DIFFERENT'} bytes`,
      `  by route           ${routes.map(({ route, ratio }) => `${route} ${ratio.toFixed(3)}`).join(', ')}`,
    );
  }
  return lines;
}
