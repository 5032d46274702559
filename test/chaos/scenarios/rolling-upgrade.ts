import { setTimeout as delay } from 'node:timers/promises';

import { openCluster } from '../cluster.ts';
import { evaluate } from '../evaluate.ts';
import { openOldVersion } from '../old-version.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';

// Longer: few replicas change their version. Shorter: none of them works for long.
const maxPauseMs = 2_000;
// The others end in order, as in a deployment.
const killedShare = 0.2;

/**
 * Replaces replicas of this version by those of the version before the newest migration, and back, while
 * there is work. Both use the tables of this version.
 */
export async function mixVersions(
  options: Omit<ScenarioOptions, 'ownServer'>,
): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, onProgress } = options;
  using old = openOldVersion(options.oldRevision);
  await using cluster = await openCluster({ serverUrl, signal, hasOldReplicas: true });
  const work = cluster.keepBusy();
  let kills = 0;
  let hitsInStarting = 0;
  let oldStarts = 0;
  for (let done = 0; done < count && !signal.aborted; done += 1) {
    const replica = pick(cluster.replicas, random);
    await replica.process().ready;
    if (random() < killedShare) {
      if (await replica.kill()) hitsInStarting += 1;
      kills += 1;
    } else {
      await replica.end();
    }
    const isOld = done % 2 === 0;
    if (isOld) oldStarts += 1;
    const next = replica.start(isOld ? old.replicaScript : undefined);
    await next.ready;
    if (next.hasEnded()) throw new Error(`${next.owner} did not start: see ${cluster.logPath}`);
    onProgress(done + 1);
    await delay(random() * maxPauseMs);
  }
  await work.stop();
  const evaluation = await evaluate(cluster, signal);
  const notes = [`${oldStarts} of ${count} starts were of ${old.revision.slice(0, 12)}`];
  return { trials: count, kills, hitsInStarting, ...evaluation, notes };
}
