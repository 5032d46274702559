/** A round of calls: its duration, and the number of parallel callers. */
export interface Round {
  seconds: number;
  parallel: number;
}

/** The result of a round. */
export interface RoundResult {
  calls: number;
  callsPerSecond: number;
  medianMs: number;
}

/** A call that was refused because the machine was busy. It is not counted. */
export class Refused extends Error {}

/**
 * Makes calls in closed loops: each caller sends its next call when the previous one is answered. A
 * round lasts until at least one call has succeeded.
 */
export async function runRound(
  { seconds, parallel }: Round,
  makeCall: (caller: number) => Promise<void>,
): Promise<RoundResult> {
  const durationsMs: number[] = [];
  let refused = 0;
  const beganAt = performance.now();
  const until = beganAt + seconds * 1_000;
  const callers = Array.from({ length: parallel }, async (_, caller) => {
    for (let at = performance.now(); at < until || durationsMs.length === 0; ) {
      const isAnswered = await makeCall(caller).then(() => true, passRefusal);
      const endedAt = performance.now();
      if (isAnswered) durationsMs.push(endedAt - at);
      else refused += 1;
      at = endedAt;
    }
  });
  await Promise.all(callers);
  if (refused > 0) process.stderr.write(`${refused} calls of a round were refused\n`);
  const tookSeconds = (performance.now() - beganAt) / 1_000;
  return {
    calls: durationsMs.length,
    callsPerSecond: durationsMs.length / tookSeconds,
    medianMs: median(durationsMs),
  };
}

function passRefusal(error: unknown): false {
  if (error instanceof Refused) return false;
  throw error;
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? upper)) / 2 : upper;
}

/** The quantile of values for a share from 0 to 1. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
