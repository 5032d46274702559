import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

import type { ClientCall } from '../check-calls.ts';
import { type PostedJob, postJob } from '../client.ts';
import type { Replica } from '../replicas.ts';
import { pick, type ScenarioOptions, type ScenarioReport } from '../scenario.ts';
import { openStage } from '../stage.ts';
import { judge } from '../verdict.ts';

const atOnce = 50;
const lostShare = 0.3;
const killEveryMs = 3_000;

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
  let isOver = false;

  async function postUntilAnswered(job: PostedJob): Promise<void> {
    for (;;) {
      const port = await pick(stage.replicas, random).process().ready;
      if (signal.aborted) return;
      if (port === undefined) continue;
      const giveUpAfterMs = random() < lostShare ? random() * 60 : undefined;
      const call = await postJob(port, job, giveUpAfterMs);
      calls.push(call);
      if (call.status === 202) return;
      await delay(random() * 100);
    }
  }

  async function killNowAndThen(): Promise<void> {
    while (!isOver && !signal.aborted) {
      await delay(killEveryMs * (0.5 + random()));
      const replica: Replica = pick(stage.replicas, random);
      await replica.process().ready;
      if (await replica.kill()) hitsInStarting += 1;
      kills += 1;
      replica.start();
    }
  }

  const killing = killNowAndThen();
  for (let keys = 0; keys < count && !signal.aborted; keys += 1) {
    const { name: target, region } = pick(stage.targets, random);
    const job = { key: randomUUID(), target, destination: `archive-${region}` };
    await Promise.all(Array.from({ length: atOnce }, () => postUntilAnswered(job)));
    onProgress(keys + 1);
  }
  isOver = true;
  await killing;
  for (const { jobId } of calls) if (jobId !== undefined) stage.accepted.push(jobId);
  const verdict = await judge(stage, signal, calls);
  return { trials: calls.length, kills, hitsInStarting, ...verdict };
}
