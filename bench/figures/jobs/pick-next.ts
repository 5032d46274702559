import { startChild } from '../../child.ts';
import { makeFolder } from '../../folder.ts';
import { subjectCore } from '../../machine.ts';
import type { PickRequest, PickTimes } from '../../processes/picker.ts';
import type { Scale, World } from '../../scale.ts';
import { storageBackends } from './storage-backends.ts';

/** The time to find the next slice, and to record its start. */
export async function measurePickNext(world: World, scale: Scale): Promise<string[]> {
  await using picker = startChild({ script: 'bench/processes/picker.ts', core: subjectCore });
  await picker.whenReady();
  const lines: string[] = [];
  for (const [name, openStorage] of storageBackends) {
    const lengths = [1_000, scale.waiting];
    const request: PickRequest = { queues: [], picks: scale.picks, rounds: scale.rounds };
    for (const waiting of lengths) {
      request.queues.push({ ...(await openStorage(world)), dataDir: makeFolder(), waiting });
    }
    const [few, many] = await picker.call<[PickTimes, PickTimes]>(request);
    const label = `pick-next, ${name}`.padEnd(21);
    const ratio = many.pickMs.p99 / few.pickMs.p99;
    lines.push(
      `${label} ${format(few.pickMs)} of 1000 waiting, ${format(many.pickMs)} of ${scale.waiting} (goal p99 ≤ 10), p99 ratio ${ratio.toFixed(2)} (goal ≤ 1.5)`,
      `  read the slot      ${format(few.readSlotMs)} of 1000 waiting, ${format(many.readSlotMs)} of ${scale.waiting}`,
      `  pick and start     ${format(few.startMs)} of 1000 waiting, ${format(many.startMs)} of ${scale.waiting}`,
    );
  }
  return lines;
}

function format({ p50, p99 }: PickTimes['pickMs']): string {
  return `p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms`;
}
