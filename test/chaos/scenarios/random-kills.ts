import { openCluster } from '../cluster.ts';
import { makeCreateInjector } from '../create-injector.ts';
import { evaluate } from '../evaluate.ts';
import { killReplicas } from '../kill-replicas.ts';
import type { ScenarioOptions, ScenarioReport } from '../scenario.ts';

const injectedShare = 0.8;

/** It needs no server of its own. With more replicas, kills are more frequent. */
export interface RandomKillsOptions extends Omit<ScenarioOptions, 'ownServer'> {
  replicas?: number;
}

/** Kills replicas with SIGKILL at random moments while there is work, and restarts them at once. */
export async function killAtRandom(options: RandomKillsOptions): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, replicas = 3 } = options;
  const injector = makeCreateInjector(random);
  await using cluster = await openCluster({
    serverUrl,
    signal,
    replicas,
    atCreate: injector.atCreate,
  });
  const work = cluster.keepBusy();
  const killed = await killReplicas(cluster, { ...options, injector, injectedShare });
  await work.stop();
  return { trials: count, ...killed, ...(await evaluate(cluster, signal)) };
}
