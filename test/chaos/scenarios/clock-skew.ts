import { setTimeout as delay } from 'node:timers/promises';

import { type AdjustableClock, makeClockAdjustable } from '../adjustable-database-clock.ts';
import { type Cluster, openCluster } from '../cluster.ts';
import { evaluate } from '../evaluate.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';

const hourMs = 3_600_000;
const shiftsMs = [
  [hourMs, -hourMs, 0],
  [-hourMs, 0, hourMs],
  [0, hourMs, -hourMs],
] as const;

/** Replicas whose clocks are an hour ahead or behind and jump every few seconds. Counts exports. */
export async function skewReplicaClocks(options: ScenarioOptions): Promise<ScenarioReport> {
  const { serverUrl, count, signal, onProgress } = options;
  await using cluster = await openCluster({
    serverUrl,
    signal,
    clockShiftsMs: (index) => shiftsMs[index % shiftsMs.length] ?? [],
  });
  await cluster.put(count);
  for (let completed = 0; completed < count && !signal.aborted; await delay(200)) {
    completed = countCompleted(cluster);
    onProgress(completed);
  }
  return { trials: count, kills: 0, hitsInStarting: 0, ...(await evaluate(cluster, signal)) };
}

// Between jumps, the queues must make progress. Shorter: they cannot.
const jumpIntervalMs = 3_000;

/** Moves the clock of the database an hour forward or back repeatedly. Counts jumps. */
export async function skewDatabaseClock(options: ScenarioOptions): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, onProgress } = options;
  let clock: AdjustableClock | undefined;
  await using cluster = await openCluster({
    serverUrl,
    signal,
    async prepare(databaseUrl) {
      clock = await makeClockAdjustable(databaseUrl);
    },
  });
  const work = cluster.keepBusy();
  for (let jumps = 0; jumps < count && !signal.aborted; jumps += 1) {
    await delay(jumpIntervalMs);
    await clock?.setOffset(pick([-hourMs, 0, hourMs], random));
    onProgress(jumps + 1);
  }
  await work.stop();
  const evaluation = await evaluate(cluster, signal);
  await clock?.close();
  return { trials: count, kills: 0, hitsInStarting: 0, ...evaluation };
}

function countCompleted({ emulator }: Cluster): number {
  return emulator.exportTasks().filter(({ status }) => status === 'COMPLETED').length;
}
