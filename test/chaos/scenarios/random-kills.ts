import { setTimeout as delay } from 'node:timers/promises';
import { openCluster } from '../cluster.ts';
import { makeCreateInjector, moments } from '../create-injector.ts';
import { evaluate } from '../evaluate.ts';
import type { Replica } from '../replicas.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';

// The share of kills that wait for a create. The others come at any time.
const injectedShare = 0.8;

/** It needs no server of its own. With more replicas, kills are more frequent. */
export interface RandomKillsOptions extends Omit<ScenarioOptions, 'ownServer'> {
  replicas?: number;
}

/** Kills replicas with SIGKILL at random moments while there is work, and restarts them at once. */
export async function killAtRandom(options: RandomKillsOptions): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, onProgress, replicas = 3 } = options;
  const injector = makeCreateInjector(random);
  await using cluster = await openCluster({
    serverUrl,
    signal,
    replicas,
    atCreate: injector.atCreate,
  });
  const work = cluster.keepBusy();
  let left = count;
  let kills = 0;
  let hitsInStarting = 0;

  async function killRepeatedly(replica: Replica): Promise<void> {
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
    if (random() < injectedShare) {
      return injector.injectAt(replica, pick(moments, random), replica.kill);
    }
    await delay(random() * 1_000);
    return replica.kill();
  }

  await Promise.all(cluster.replicas.map(killRepeatedly));
  await work.stop();
  return { trials: count, kills, hitsInStarting, ...(await evaluate(cluster, signal)) };
}
