import { setTimeout as delay } from 'node:timers/promises';

import type { ScenarioOptions, ScenarioReport } from '../scenario.ts';
import { openStage } from '../stage.ts';
import { judge } from '../verdict.ts';

const hourMs = 3_600_000;
const shiftsMs = [
  [hourMs, -hourMs, 0],
  [-hourMs, 0, hourMs],
  [0, hourMs, -hourMs],
] as const;

/** Replicas an hour ahead and an hour behind, whose clocks jump every few seconds; counts exports. */
export async function shiftClocks(options: ScenarioOptions): Promise<ScenarioReport> {
  const { serverUrl, count, signal, onProgress } = options;
  await using stage = await openStage({
    ...{ serverUrl, signal },
    clockShiftsMs: (index) => shiftsMs[index % shiftsMs.length] ?? [],
  });
  await stage.put(count);
  for (let completed = 0; completed < count && !signal.aborted; await delay(200)) {
    completed = stage.emulator.exportTasks().filter(({ status }) => status === 'COMPLETED').length;
    onProgress(completed);
  }
  return { trials: count, kills: 0, hitsInStarting: 0, ...(await judge(stage, signal)) };
}
