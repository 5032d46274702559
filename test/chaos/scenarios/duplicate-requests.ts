import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import type { ClientCall } from '../check-calls.ts';
import { createJob, type JobToCreate } from '../client.ts';
import { openCluster } from '../cluster.ts';
import { targetsInRegions } from '../cluster-targets.ts';
import { evaluate } from '../evaluate.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';

const atOnce = 50;
const lostShare = 0.3;
const killedShare = 0.2;
const killWithinMs = 100; // while the 50 requests are in flight

/**
 * Sends 50 equal POSTs at once for each key, spread over all replicas. Some callers disconnect early, and
 * replicas are killed meanwhile. Each caller retries until it has an answer.
 */
export async function repeatRequests(options: ScenarioOptions): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, onProgress } = options;
  const calls: ClientCall[] = [];
  await using cluster = await openCluster({
    serverUrl,
    signal,
    targets: targetsInRegions(3),
    isServing: true,
  });
  let kills = 0;
  let hitsInStarting = 0;

  async function postUntilAnswered(job: JobToCreate): Promise<void> {
    while (!signal.aborted) {
      const port = await pick(cluster.replicas, random).process().ready;
      const disconnectAfterMs = random() < lostShare ? random() * 60 : undefined;
      if (port !== undefined) {
        const call = await createJob(port, job, disconnectAfterMs);
        calls.push(call);
        if (call.status === 202) return;
      }
      await delay(random() * 100);
    }
  }

  async function killOne(): Promise<void> {
    const replica = pick(cluster.replicas, random);
    await replica.process().ready;
    await delay(random() * killWithinMs);
    if (await replica.kill()) hitsInStarting += 1;
    kills += 1;
    replica.start();
  }

  for (let keys = 0; keys < count && !signal.aborted; keys += 1) {
    const { name: target, region } = pick(cluster.targets, random);
    const job = { key: randomUUID(), target, destination: `archive-${region}` };
    const requests = Array.from({ length: atOnce }, () => postUntilAnswered(job));
    await Promise.all([...requests, ...(random() < killedShare ? [killOne()] : [])]);
    onProgress(keys + 1);
  }
  for (const { jobId } of calls) if (jobId !== undefined) cluster.accepted.push(jobId);
  const evaluation = await evaluate(cluster, signal, calls);
  return { trials: calls.length, kills, hitsInStarting, ...evaluation };
}
