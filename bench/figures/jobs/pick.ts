import { startChild } from '../../child.ts';
import { makeFolder } from '../../folder.ts';
import { subjectCore } from '../../machine.ts';
import type { Picked, QueuesToPick } from '../../processes/picker.ts';
import type { Scale, World } from '../../scale.ts';
import { storageBackends } from './homes.ts';

/** How long it takes to find out which slice is next, and to write down that it is. */
export async function measurePick(world: World, scale: Scale): Promise<string[]> {
  const queues: string[] = [];
  for (const [name, openStorage] of storageBackends) {
    const lengths = [1_000, scale.waiting];
    const toPick: QueuesToPick = { queues: [], picks: scale.picks, rounds: scale.rounds };
    for (const waiting of lengths) {
      toPick.queues.push({ ...(await openStorage(world)), dataDir: makeFolder(), waiting });
    }
    await using picker = startChild({ script: 'bench/processes/picker.ts', core: subjectCore });
    await picker.hello();
    const [few, many] = await picker.ask<[Picked, Picked]>(toPick);
    const shown = `pick, ${name}`.padEnd(20);
    const ratio = many.pickMs.p99 / few.pickMs.p99;
    queues.push(
      `${shown} ${tell(few.pickMs)} of 1000 waiting, ${tell(many.pickMs)} of ${scale.waiting} (goal p99 ≤ 10), p99 ratio ${ratio.toFixed(2)} (goal ≤ 1.5)`,
      `  look at the slot   ${tell(few.lookMs)} of 1000 waiting, ${tell(many.lookMs)} of ${scale.waiting}`,
      `  pick and write     ${tell(few.startMs)} of 1000 waiting, ${tell(many.startMs)} of ${scale.waiting}`,
    );
  }
  return queues;
}

function tell({ p50, p99 }: Picked['pickMs']): string {
  return `p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms`;
}
