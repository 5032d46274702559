import type { Child } from './child.ts';
import { median, type RoundResult } from './round.ts';
import type { Scale } from './scale.ts';

/** Who is measured: its process, and how a round is made with it. */
export interface Subject {
  child: Child;
  makeRound: () => Promise<RoundResult>;
}

/** A round and what it took of the process. */
interface Measured extends RoundResult {
  cpuMsPerCall: number;
}

/** Rounds of two subjects in turn, so that what else the machine does falls on both alike. */
export type Pairs = { gateway: Measured; bare: Measured }[];

/** Measures the gateway and what it is compared with, in turn, after both have warmed up. */
export async function measurePairs(
  gateway: Subject,
  bare: Subject,
  { rounds, warmUpCalls }: Scale,
): Promise<Pairs> {
  for (const subject of [gateway, bare]) {
    for (let calls = 0; calls < warmUpCalls; ) calls += (await subject.makeRound()).calls;
  }
  const pairs: Pairs = [];
  for (let round = 0; round < rounds; round++) {
    pairs.push({ gateway: await measure(gateway), bare: await measure(bare) });
  }
  return pairs;
}

async function measure({ child, makeRound }: Subject): Promise<Measured> {
  const before = child.cpuMs();
  const result = await makeRound();
  return { ...result, cpuMsPerCall: (child.cpuMs() - before) / result.calls };
}

/** The median of something over all rounds. */
export function medianOf(pairs: Pairs, read: (pair: Pairs[number]) => number): number {
  return median(pairs.map(read));
}

/** Rates and CPU times of both, and their ratios. */
export function tellRates(pairs: Pairs): { rates: string; cpuTimes: string } {
  const rate = (who: 'gateway' | 'bare') => medianOf(pairs, (pair) => pair[who].callsPerSecond);
  const cpuUs = (who: 'gateway' | 'bare') =>
    medianOf(pairs, (pair) => pair[who].cpuMsPerCall * 1_000);
  const ofRates = medianOf(pairs, (pair) => pair.gateway.callsPerSecond / pair.bare.callsPerSecond);
  const ofCpu = medianOf(pairs, (pair) => pair.bare.cpuMsPerCall / pair.gateway.cpuMsPerCall);
  return {
    rates: `gateway ${rate('gateway').toFixed(0)}/s, bare ${rate('bare').toFixed(0)}/s, ratio ${ofRates.toFixed(2)}`,
    cpuTimes: `gateway ${cpuUs('gateway').toFixed(0)} µs, bare ${cpuUs('bare').toFixed(0)} µs, ratio ${ofCpu.toFixed(2)}`,
  };
}
