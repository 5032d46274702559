import { setTimeout as delay } from 'node:timers/promises';

import { makeClockTurnable, type TurnableClock } from '../database-clock.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';
import { openStage, type Stage } from '../stage.ts';
import { evaluate } from '../verdict.ts';

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
    serverUrl,
    signal,
    clockShiftsMs: (index) => shiftsMs[index % shiftsMs.length] ?? [],
  });
  await stage.put(count);
  for (let completed = 0; completed < count && !signal.aborted; await delay(200)) {
    completed = countCompleted(stage);
    onProgress(completed);
  }
  return { trials: count, kills: 0, hitsInStarting: 0, ...(await evaluate(stage, signal)) };
}

// The queue has to move in between, as it does where a clock is wrong for a while.
const turnedForMs = 3_000;

/** Turns the clock of the database an hour forward or back again and again; counts turns. */
export async function turnDatabaseClock(options: ScenarioOptions): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, onProgress } = options;
  let clock: TurnableClock | undefined;
  await using stage = await openStage({
    serverUrl,
    signal,
    async prepare(databaseUrl) {
      clock = await makeClockTurnable(databaseUrl);
    },
  });
  const work = stage.keepBusy();
  for (let turns = 0; turns < count && !signal.aborted; turns += 1) {
    await delay(turnedForMs);
    await clock?.turn(pick([-hourMs, 0, hourMs], random));
    onProgress(turns + 1);
  }
  await work.stop();
  const verdict = await evaluate(stage, signal);
  await clock?.close();
  return { trials: count, kills: 0, hitsInStarting: 0, ...verdict };
}

function countCompleted({ emulator }: Stage): number {
  return emulator.exportTasks().filter(({ status }) => status === 'COMPLETED').length;
}
