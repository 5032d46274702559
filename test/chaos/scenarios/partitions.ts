import { setTimeout as delay } from 'node:timers/promises';
import { openCluster } from '../cluster.ts';
import { makeCreateInjector, moments } from '../create-injector.ts';
import { evaluate } from '../evaluate.ts';
import type { Replica } from '../replicas.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';

const minMs = 500;
const maxMs = 5_000; // longer than the lease, the reconciliation and the timeout of a query

/** Cuts the connection of replicas to AWS or the database. What was sent meanwhile arrives late or never. */
export function cutConnection(side: 'toAws' | 'toDatabase') {
  return async (options: ScenarioOptions): Promise<ScenarioReport> => {
    const { serverUrl, count, random, signal, onProgress } = options;
    const injector = makeCreateInjector(random);
    await using cluster = await openCluster({ serverUrl, signal, atCreate: injector.atCreate });
    const work = cluster.keepBusy();
    let left = count;
    let done = 0;
    let hitsInStarting = 0;

    async function cutRepeatedly(replica: Replica): Promise<void> {
      await replica.process().ready;
      while (left > 0 && !signal.aborted) {
        left -= 1;
        await delay(random() * 1_500);
        if (random() < 0.5) await cut(replica);
        else await injector.injectAt(replica, pick(moments, random), () => cut(replica));
        done += 1;
        onProgress(done);
      }
    }

    async function cut(replica: Replica): Promise<void> {
      replica[side].cut();
      if (await replica.wasStarting()) hitsInStarting += 1;
      await delay(minMs + random() * (maxMs - minMs));
      replica[side].restore(random() < 0.5 ? 'deliver' : 'reset');
    }

    await Promise.all(cluster.replicas.map(cutRepeatedly));
    await work.stop();
    return { trials: count, kills: 0, hitsInStarting, ...(await evaluate(cluster, signal)) };
  };
}
