import { startAws } from '../../aws.ts';
import { startGateway } from '../../gateway.ts';
import { median, type RoundResult } from '../../round.ts';
import type { Scale, World } from '../../scale.ts';
import { postJob } from './post-job.ts';

/** How many reads a second callers get who all follow one job, and what AWS notices of them. */
export async function measureWatchers(
  { callers, databases }: World,
  scale: Scale,
): Promise<string[]> {
  await using aws = await startAws({ pendingMs: 500, runningMs: 1_500 });
  await using gateway = await startGateway(aws.url, { databaseUrl: await databases.create() });
  const location = await postJob(gateway.url, { logGroups: 100, hours: 10 });
  const { calls: callsBefore } = await aws.readUntil(({ tasks }) => tasks.length > 0);

  const rates: number[] = [];
  const answerMs: number[] = [];
  const cpuUs: number[] = [];
  const beganAt = Date.now();
  for (let round = 0; round <= scale.rounds; round++) {
    const cpuMsBefore = gateway.cpuMs();
    const { calls, callsPerSecond, medianMs } = await callers.ask<RoundResult>({
      url: gateway.url,
      requests: ['show', 'showNews'],
      location,
      seconds: scale.roundSeconds,
      parallel: scale.watchers,
    });
    if (round === 0) continue; // V8 optimises what it will
    rates.push(callsPerSecond);
    answerMs.push(medianMs);
    cpuUs.push(((gateway.cpuMs() - cpuMsBefore) / calls) * 1_000);
  }
  const { calls: callsAfter } = await aws.read();
  const askedPerSecond =
    (callsAfter.length - callsBefore.length) / ((Date.now() - beganAt) / 1_000);
  return [
    `watchers, ${scale.watchers}`.padEnd(20) +
      ` ${median(rates).toFixed(0)} reads/s of one job (goal ≥ 2000), each ${median(answerMs).toFixed(0)} ms`,
    `  CPU time a read    gateway ${median(cpuUs).toFixed(0)} µs`,
    `  calls to AWS       ${askedPerSecond.toFixed(2)} a second (goal ≤ 1)`,
  ];
}
