import { setTimeout as delay } from 'node:timers/promises';
import { openCluster } from '../cluster.ts';
import { evaluate } from '../evaluate.ts';
import type { ScenarioOptions, ScenarioReport } from '../scenario.ts';

/** Stops PostgreSQL every few seconds, by a crash or in order, and starts it again. */
export async function restartPostgres(options: ScenarioOptions): Promise<ScenarioReport> {
  const { ownServer: server, count, random, signal, onProgress } = options;
  await using cluster = await openCluster({ serverUrl: server.url, signal });
  const work = cluster.keepBusy();
  for (let done = 0; done < count && !signal.aborted; done += 1) {
    await delay(2_000 + random() * 5_000);
    await server.stop(random() < 0.5 ? 'immediate' : 'fast');
    await delay(random() * 2_000);
    await server.start();
    onProgress(done + 1);
  }
  await work.stop();
  return { trials: count, kills: 0, hitsInStarting: 0, ...(await evaluate(cluster, signal)) };
}
