import { setTimeout as delay } from 'node:timers/promises';

import type { Cluster } from './cluster.ts';
import { type CreateInjector, moments } from './create-injector.ts';
import type { Replica } from './replicas.ts';
import { pick, type ScenarioOptions } from './scenario.ts';

/** When replicas are killed, and how often. */
export interface KillOptions
  extends Pick<ScenarioOptions, 'count' | 'random' | 'signal' | 'onProgress'> {
  injector: CreateInjector;
  /** The share of kills that wait for a create. The others come at any time. */
  injectedShare: number;
  /** How long a replica works before one of the others, at most. Default: a second. */
  maxWorkMs?: number;
}

/** Kills the replicas of a cluster with SIGKILL at random moments, and restarts them at once. */
export async function killReplicas(
  { replicas }: Cluster,
  { count, random, signal, onProgress, injector, injectedShare, maxWorkMs = 1_000 }: KillOptions,
): Promise<{ kills: number; hitsInStarting: number }> {
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
    await delay(random() * maxWorkMs);
    return replica.kill();
  }

  await Promise.all(replicas.map(killRepeatedly));
  return { kills, hitsInStarting };
}
