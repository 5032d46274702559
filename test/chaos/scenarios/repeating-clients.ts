import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import type { ClientCall } from '../check-calls.ts';
import { type PostedJob, postJob } from '../client.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';
import { openStage } from '../stage.ts';
import { evaluate } from '../verdict.ts';

const atOnce = 50;
const lostShare = 0.3;
const killedShare = 0.2;
const killWithinMs = 100; // while the 50 are under way

/**
 * For each key, 50 equal POSTs at once over all replicas. Some answers are lost, some callers give up
 * early, replicas are killed meanwhile; each caller repeats until it has an answer.
 */
export async function repeatPosts(options: ScenarioOptions): Promise<ScenarioReport> {
  const { serverUrl, count, random, signal, onProgress } = options;
  const calls: ClientCall[] = [];
  await using stage = await openStage({ serverUrl, signal, targets: 3, isServing: true });
  let kills = 0;
  let hitsInStarting = 0;

  async function postUntilAnswered(job: PostedJob): Promise<void> {
    while (!signal.aborted) {
      const port = await pick(stage.replicas, random).process().ready;
      const giveUpAfterMs = random() < lostShare ? random() * 60 : undefined;
      if (port !== undefined) {
        const call = await postJob(port, job, giveUpAfterMs);
        calls.push(call);
        if (call.status === 202) return;
      }
      await delay(random() * 100);
    }
  }

  async function killOne(): Promise<void> {
    const replica = pick(stage.replicas, random);
    await replica.process().ready;
    await delay(random() * killWithinMs);
    if (await replica.kill()) hitsInStarting += 1;
    kills += 1;
    replica.start();
  }

  for (let keys = 0; keys < count && !signal.aborted; keys += 1) {
    const { name: target, region } = pick(stage.targets, random);
    const job = { key: randomUUID(), target, destination: `archive-${region}` };
    const posting = Array.from({ length: atOnce }, () => postUntilAnswered(job));
    await Promise.all([...posting, ...(random() < killedShare ? [killOne()] : [])]);
    onProgress(keys + 1);
  }
  for (const { jobId } of calls) if (jobId !== undefined) stage.accepted.push(jobId);
  const verdict = await evaluate(stage, signal, calls);
  return { trials: calls.length, kills, hitsInStarting, ...verdict };
}
