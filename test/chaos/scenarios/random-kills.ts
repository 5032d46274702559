import { setTimeout as delay } from 'node:timers/promises';

import { makeAim, moments } from '../aim.ts';
import type { Replica } from '../replicas.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';
import { openStage } from '../stage.ts';
import { evaluate } from '../verdict.ts';

// Of the kills, those that wait for a create to pass by; the others come at any time.
const aimedShare = 0.8;

/** Needs no server of its own; of more replicas, more are killed in the same time. */
export interface RandomKillsOptions extends Omit<ScenarioOptions, 'ownServer'> {
  replicas?: number;
}

/** Kills replicas with signal 9 at random moments while there is work, and starts them again at once. */
export async function killAtRandom(options: RandomKillsOptions): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, onProgress, replicas = 3 } = options;
  const aim = makeAim(random);
  await using stage = await openStage({ serverUrl, signal, replicas, atCreate: aim.atCreate });
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
  return { trials: count, kills, hitsInStarting, ...(await evaluate(stage, signal)) };
}
