import { setTimeout as delay } from 'node:timers/promises';

import { makeAim, moments } from '../aim.ts';
import type { Replica } from '../replicas.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';
import { openStage } from '../stage.ts';
import { evaluate } from '../verdict.ts';

const shortestMs = 500;
const longestMs = 5_000; // past the lease, the settling and the timeout of a query

/** Cuts the wire of replicas to one side. What was sent meanwhile arrives late, or never. */
export function cutWire(wire: 'toAws' | 'toDatabase') {
  return async (options: ScenarioOptions): Promise<ScenarioReport> => {
    const { serverUrl, count, random, signal, onProgress } = options;
    const aim = makeAim(random);
    await using stage = await openStage({ serverUrl, signal, atCreate: aim.atCreate });
    const work = stage.keepBusy();
    let left = count;
    let done = 0;
    let hitsInStarting = 0;

    async function cutAgainAndAgain(replica: Replica): Promise<void> {
      await replica.process().ready;
      while (left > 0 && !signal.aborted) {
        left -= 1;
        await delay(random() * 1_500);
        if (random() < 0.5) await cut(replica);
        else await aim.strikeAt(replica, pick(moments, random), () => cut(replica));
        done += 1;
        onProgress(done);
      }
    }

    async function cut(replica: Replica): Promise<void> {
      replica[wire].goDead();
      if (await replica.wasStarting()) hitsInStarting += 1;
      await delay(shortestMs + random() * (longestMs - shortestMs));
      replica[wire].revive(random() < 0.5 ? 'deliver' : 'reset');
    }

    await Promise.all(stage.replicas.map(cutAgainAndAgain));
    await work.stop();
    return { trials: count, kills: 0, hitsInStarting, ...(await evaluate(stage, signal)) };
  };
}
