import { setTimeout as delay } from 'node:timers/promises';

import { makeAim, moments } from '../aim.ts';
import type { Replica } from '../replicas.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';
import { openStage } from '../stage.ts';
import { judge } from '../verdict.ts';

// Of the kills, those that wait for a create to pass by; the others come at any time.
const aimedShare = 0.8;

/** Kills replicas with signal 9 at random moments while there is work, and starts them again at once. */
export async function killAtRandom(
  options: Omit<ScenarioOptions, 'ownServer'>,
): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, onProgress } = options;
  const aim = makeAim(random);
  await using stage = await openStage({ serverUrl, signal, atCreate: aim.atCreate });
  const work = stage.keepBusy();
  let left = count;
  let kills = 0;
  let hitsInStarting = 0;

  async function killAgainAndAgain(replica: Replica): Promise<void> {
    while (left > 0 && !signal.aborted) {
      left -= 1;
      await replica.process().ready;
      const wasStarting = await killOnce(replica);
      if (wasStarting) hitsInStarting += 1;
      kills += 1;
      onProgress(kills);
      replica.start();
    }
  }

  async function killOnce(replica: Replica): Promise<boolean> {
    if (random() < aimedShare) {
      return aim.strikeAt(replica, pick(moments, random), replica.kill);
    }
    await delay(random() * 1_000);
    return replica.kill();
  }

  await Promise.all(stage.replicas.map(killAgainAndAgain));
  await work.stop();
  return { trials: count, kills, hitsInStarting, ...(await judge(stage, signal)) };
}
