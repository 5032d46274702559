import { setTimeout as delay } from 'node:timers/promises';
import { openCluster } from '../cluster.ts';
import { makeCreateInjector, moments } from '../create-injector.ts';
import { evaluate } from '../evaluate.ts';
import type { Replica } from '../replicas.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';
import { pauseMs } from '../shortened-limits.ts';

const maxWaitMs = 4_000;
const points = [
  'before-intent',
  'in-intent',
  'after-intent',
  'before-send',
  'before-outcome',
  'in-outcome',
] as const;

/** Freezes replicas for longer than their lease: at a point of the protocol, at a create, or at any time. */
export async function pauseOwners(options: ScenarioOptions): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, onProgress } = options;
  const injector = makeCreateInjector(random);
  await using cluster = await openCluster({ serverUrl, signal, atCreate: injector.atCreate });
  const work = cluster.keepBusy();
  let left = count;
  let done = 0;
  let hitsInStarting = 0;

  async function pauseRepeatedly(replica: Replica): Promise<void> {
    await replica.process().ready;
    while (left > 0 && !signal.aborted) {
      left -= 1;
      await delay(random() * 1_500);
      const kind = random();
      if (kind < 0.5) await pauseAtPoint(replica);
      else if (kind < 0.8)
        await injector.injectAt(replica, pick(moments, random), () => pause(replica));
      else await pause(replica);
      done += 1;
      onProgress(done);
    }
  }

  async function pauseAtPoint(replica: Replica): Promise<void> {
    const process = replica.process();
    const freezing = process.freezes();
    process.set({ point: pick(points, random), visit: 1, signal: 'SIGSTOP' });
    const isFrozen = await Promise.race([freezing, delay(maxWaitMs, 'no')]);
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

  await Promise.all(cluster.replicas.map(pauseRepeatedly));
  await work.stop();
  return { trials: count, kills: 0, hitsInStarting, ...(await evaluate(cluster, signal)) };
}
