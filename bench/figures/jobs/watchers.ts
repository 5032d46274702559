import { startAws } from '../../aws.ts';
import { startGateway } from '../../gateway.ts';
import { median, type RoundResult } from '../../round.ts';
import type { Scale, World } from '../../scale.ts';
import { createJob } from './create-job.ts';

/** The reads per second of many callers who follow one job, and the calls to AWS meanwhile. */
export async function measureWatchers(
  { callers, databases }: World,
  scale: Scale,
): Promise<string[]> {
  await using aws = await startAws({ pendingMs: 500, runningMs: 1_500 });
  await using gateway = await startGateway(aws.url, { databaseUrl: await databases.create() });
  const location = await createJob(gateway.url, { logGroups: 100, hours: 10 });
  const { calls: callsBefore } = await aws.readUntil(
    'the first task',
    ({ tasks }) => tasks.length > 0,
  );

  const rates: number[] = [];
  const answerMs: number[] = [];
  const cpuUs: number[] = [];
  const beganAt = Date.now();
  for (let round = 0; round <= scale.rounds; round++) {
    const cpuMsBefore = gateway.cpuMs();
    const { calls, callsPerSecond, medianMs } = await callers.call<RoundResult>({
      url: gateway.url,
      requests: ['read', 'readIfChanged'],
      location,
      seconds: scale.roundSeconds,
      parallel: scale.watchers,
    });
    if (round === 0) continue; // a warm-up for V8
    rates.push(callsPerSecond);
    answerMs.push(medianMs);
    cpuUs.push(((gateway.cpuMs() - cpuMsBefore) / calls) * 1_000);
  }
  const { calls: callsAfter } = await aws.read();
  const awsCallsPerSecond =
    (callsAfter.length - callsBefore.length) / ((Date.now() - beganAt) / 1_000);
  return [
    `watchers, ${scale.watchers}`.padEnd(20) +
      ` ${median(rates).toFixed(0)} reads/s of one job (goal ≥ 2000), each ${median(answerMs).toFixed(0)} ms`,
    `  CPU time a read    gateway ${median(cpuUs).toFixed(0)} µs`,
    `  calls to AWS       ${awsCallsPerSecond.toFixed(2)} a second (goal ≤ 2)`,
  ];
}
