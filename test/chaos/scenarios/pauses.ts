import { setTimeout as delay } from 'node:timers/promises';

import { makeAim, moments } from '../aim.ts';
import { pauseMs } from '../limits.ts';
import type { Replica } from '../replicas.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';
import { openStage } from '../stage.ts';
import { evaluate } from '../verdict.ts';

const patienceMs = 4_000;
const points = [
  ...(['before-intent', 'in-intent', 'after-intent', 'before-send'] as const),
  ...(['before-outcome', 'in-outcome'] as const),
];

/** Freezes replicas for longer than their lease: at a point of the protocol, at a create, or anywhere. */
export async function pauseOwners(options: ScenarioOptions): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, onProgress } = options;
  const aim = makeAim(random);
  await using stage = await openStage({ serverUrl, signal, atCreate: aim.atCreate });
  const work = stage.keepBusy();
  let left = count;
  let done = 0;
  let hitsInStarting = 0;

  async function pauseAgainAndAgain(replica: Replica): Promise<void> {
    await replica.process().ready;
    while (left > 0 && !signal.aborted) {
      left -= 1;
      await delay(random() * 1_500);
      const how = random();
      if (how < 0.5) await pauseAtPoint(replica);
      else if (how < 0.8) await aim.strikeAt(replica, pick(moments, random), () => pause(replica));
      else await pause(replica);
      done += 1;
      onProgress(done);
    }
  }

  async function pauseAtPoint(replica: Replica): Promise<void> {
    const process = replica.process();
    const freezing = process.freezes();
    process.set({ point: pick(points, random), visit: 1, signal: 'SIGSTOP' });
    const isFrozen = await Promise.race([freezing, delay(patienceMs, 'no')]);
    if (isFrozen === 'no') {
      process.set('none');
      return pause(replica);
    }
    if (await replica.wasStarting()) hitsInStarting += 1;
    await delay(pauseMs);
  }

  async function pause(replica: Replica): Promise<void> {
    replica.process().signal('SIGSTOP');
    if (await replica.wasStarting()) hitsInStarting += 1;
    await delay(pauseMs);
    replica.process().signal('SIGCONT');
  }

  await Promise.all(stage.replicas.map(pauseAgainAndAgain));
  await work.stop();
  return { trials: count, kills: 0, hitsInStarting, ...(await evaluate(stage, signal)) };
}
