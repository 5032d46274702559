/** What a process is told to do: calls for some time, so many at once. */
export interface Round {
  seconds: number;
  parallel: number;
}

/** What came of it. */
export interface RoundResult {
  calls: number;
  callsPerSecond: number;
  medianMs: number;
}

/** Makes calls in closed loops: each caller makes its next call when the last is answered. */
export async function runRound(
  { seconds, parallel }: Round,
  makeCall: (caller: number) => Promise<void>,
): Promise<RoundResult> {
  const durationsMs: number[] = [];
  const beganAt = performance.now();
  const until = beganAt + seconds * 1_000;
  const callers = Array.from({ length: parallel }, async (_, caller) => {
    for (let at = performance.now(); at < until; ) {
      await makeCall(caller);
      const endedAt = performance.now();
      durationsMs.push(endedAt - at);
      at = endedAt;
    }
  });
  await Promise.all(callers);
  const tookSeconds = (performance.now() - beganAt) / 1_000;
  return {
    calls: durationsMs.length,
    callsPerSecond: durationsMs.length / tookSeconds,
    medianMs: median(durationsMs),
  };
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  return Number.isInteger(middle) ? (upper + (sorted[middle - 1] ?? upper)) / 2 : upper;
}

/** The value that the given share of all does not exceed. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
