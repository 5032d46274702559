import { execFileSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';

import { startChild } from '../../child.ts';
import { makeFolder } from '../../folder.ts';
import { subjectCore } from '../../machine.ts';
import type {
  FinishResult,
  LoadResult,
  MeasureResult,
  PurgerRequest,
} from '../../processes/purger.ts';
import type { Scale, World } from '../../scale.ts';
import type { StorageBackend } from './storage-backends.ts';

/** The latencies of requests while finished slices are deleted, and what is left after a kill. */
export async function measureRetention(
  [name, openStorage]: StorageBackend,
  world: World,
  scale: Scale,
): Promise<string[]> {
  const [empty, full] = [
    { ...(await openStorage(world)), dataDir: makeFolder() },
    { ...(await openStorage(world)), dataDir: makeFolder() },
  ];
  await using first = startPurger();
  await first.whenReady();
  await first.call({ act: 'fill', storages: [empty, full], finished: scale.finished });
  execFileSync('sync'); // otherwise commits wait until the disk has written the rows
  const { results, rowsPerSecond } = await first.call<MeasureResult>({
    act: 'measure',
    storages: [empty, full],
    rounds: scale.rounds,
    roundMs: scale.purgeSeconds * 1_000,
  } satisfies PurgerRequest);
  const killed = first.call({ act: 'finish', storage: full }).catch(() => {});
  await delay(scale.purgeSeconds * 1_000);
  await first[Symbol.asyncDispose]();
  await killed;
  await using second = startPurger();
  await second.whenReady();
  const rest = await second.call<FinishResult>({ act: 'finish', storage: full });
  return describe(name, results, rowsPerSecond, rest);
}

const startPurger = () => startChild({ script: 'bench/processes/purger.ts', core: subjectCore });

function describe(
  name: string,
  [empty, full]: MeasureResult['results'],
  rowsPerSecond: number,
  rest: FinishResult,
): string[] {
  const compare = (operation: keyof LoadResult['operations']) => {
    const [alone, meanwhile] = [empty.operations[operation], full.operations[operation]];
    const ratio = (share: 'p50' | 'p99') => (meanwhile[share] / alone[share]).toFixed(2);
    return `p50 ${meanwhile.p50.toFixed(2)} p99 ${meanwhile.p99.toFixed(2)} ms, on an empty database ${alone.p50.toFixed(2)} and ${alone.p99.toFixed(2)} ms, ratio ${ratio('p50')} and ${ratio('p99')} (goal ≤ 1.2)`;
  };
  return [
    `${`retention, ${name}`.padEnd(21)} list ${compare('list')}`,
    `  get                ${compare('get')}`,
    `  pick-next          ${compare('pick')}`,
    `  longest wait       ${full.longestMs.toFixed(0)} ms (goal ≤ 100), on an empty database ${empty.longestMs.toFixed(0)} ms`,
    `  pace               ${rowsPerSecond.toFixed(0)} rows/s; without pauses ${((rest.rows * 1_000) / rest.tookMs).toFixed(0)} rows/s`,
    `  after kill -9      ${rest.partialJobs} jobs in part (goal 0), ${rest.slices} slices left, deleted in ${(rest.tookMs / 1_000).toFixed(1)} s; then ${rest.left} left (goal 0), ${rest.waiting} waiting`,
  ];
}
