import type { Child, Usage } from './child.ts';
import type { RunningGateway } from './gateway.ts';
import { median, type RoundResult } from './round.ts';
import type { Scale } from './scale.ts';

/** A measured process, and how to run a round against it. */
export interface Subject {
  child: Usage;
  runRound: () => Promise<RoundResult>;
}

/** A gateway that gets creates from 50 callers at once. */
export function createsAt(gateway: RunningGateway, callers: Child, seconds: number): Subject {
  return {
    child: gateway,
    runRound: () =>
      callers.call<RoundResult>({ seconds, parallel: 50, requests: ['create'], url: gateway.url }),
  };
}

/** The result of a round, with the CPU time of the process. */
interface MeasuredRound extends RoundResult {
  cpuMsPerCall: number;
}

/** Rounds of two subjects that alternate, so that other load on the machine affects both equally. */
export type Pairs = { gateway: MeasuredRound; bare: MeasuredRound }[];

/** Measures two subjects in alternation, after a warm-up of both. */
export async function measurePairs(
  gateway: Subject,
  bare: Subject,
  { rounds, warmUpCalls }: Scale,
): Promise<Pairs> {
  for (const subject of [gateway, bare]) {
    for (let calls = 0; calls < warmUpCalls; ) calls += (await subject.runRound()).calls;
  }
  const pairs: Pairs = [];
  for (let round = 0; round < rounds; round++) {
    // Each is first in every other round.
    const before = round % 2 === 0 ? await measure(gateway) : undefined;
    const bareRound = await measure(bare);
    pairs.push({ gateway: before ?? (await measure(gateway)), bare: bareRound });
  }
  return pairs;
}

async function measure({ child, runRound }: Subject): Promise<MeasuredRound> {
  const before = child.cpuMs();
  const result = await runRound();
  return { ...result, cpuMsPerCall: (child.cpuMs() - before) / result.calls };
}

/** The median of a value over all rounds. */
export function medianOf(pairs: Pairs, read: (pair: Pairs[number]) => number): number {
  return median(pairs.map(read));
}

/** Formats the rates and CPU times of both subjects, and their ratios. */
export function formatRates(pairs: Pairs): { rates: string; cpuTimes: string } {
  const rate = (subject: 'gateway' | 'bare') =>
    medianOf(pairs, (pair) => pair[subject].callsPerSecond);
  const cpuUs = (subject: 'gateway' | 'bare') =>
    medianOf(pairs, (pair) => pair[subject].cpuMsPerCall * 1_000);
  const rateRatio = medianOf(
    pairs,
    (pair) => pair.gateway.callsPerSecond / pair.bare.callsPerSecond,
  );
  const cpuRatio = medianOf(pairs, (pair) => pair.bare.cpuMsPerCall / pair.gateway.cpuMsPerCall);
  return {
    rates: `gateway ${rate('gateway').toFixed(0)}/s, bare ${rate('bare').toFixed(0)}/s, ratio ${rateRatio.toFixed(2)}`,
    cpuTimes: `gateway ${cpuUs('gateway').toFixed(0)} µs, bare ${cpuUs('bare').toFixed(0)} µs, ratio ${cpuRatio.toFixed(2)}`,
  };
}
