// How long after the expected end to poll. Shorter: a poll just before the end costs a whole second,
// and the durations are by AWS's clock. Longer: each end is noticed later.
const afterEndMs = 50;
const tightPollMs = 1_000;
// Fewer: the next task may be much shorter than all of them, and its end is noticed late.
const minDurations = 5;

/**
 * When to poll a running task next, in milliseconds since its create. The pace is tight just after the
 * start, because failures come early, and near the expected end. It is slower between and long after.
 * `polledAt` is the last poll, 0 before the first; `freeAt` is when a poll is allowed; `durations` are
 * those of similar tasks, the newest first. Fewer than `minDurations` predict nothing.
 */
export function nextPollAt(polledAt: number, freeAt: number, durations: readonly number[]): number {
  if (durations.length < minDurations) return polledAt + slower(polledAt);
  const shortest = Math.min(...durations);
  const longest = Math.max(...durations);
  const isLong = shortest > 10_000;
  if (isLong && polledAt < 3_000) return polledAt + tightPollMs;
  const nearEndAt = 0.9 * shortest;
  if (nearEndAt - polledAt > 15_000) return polledAt + 15_000;
  if (polledAt > 2 * longest) return polledAt + slower(polledAt - longest);
  // Timers are late, so the last poll came a little after its instant. The next instant is then less
  // than a second away. It is still the one to hit, as soon as the second is over.
  const notBefore = Math.max(nearEndAt, polledAt + tightPollMs / 2, freeAt - tightPollMs / 4);
  const anchor = bestAnchor(durations) + afterEndMs;
  const hitAt = anchor + tightPollMs * Math.ceil((notBefore - anchor) / tightPollMs);
  return Math.max(hitAt, polledAt + tightPollMs);
}

// A little more than a second: otherwise an overdue sweep would never find a gap.
const slower = (sinceMs: number) => Math.min(Math.max(sinceMs / 60, 1.05 * tightPollMs), 10_000);

/**
 * The instant that polls, one per second, aim at. If all durations are similar, it is the one with the
 * shortest total wait after their ends. Otherwise it is a little after the longest.
 */
function bestAnchor(durations: readonly number[]): number {
  const longest = Math.max(...durations);
  const spread = longest - Math.min(...durations);
  if (spread > tightPollMs) return longest + 0.15 * spread;
  const waits = (anchor: number) =>
    durations.reduce(
      (sum, duration) => sum + ((((anchor - duration) % tightPollMs) + tightPollMs) % tightPollMs),
      0,
    );
  return durations.reduce((best, anchor) => (waits(anchor) < waits(best) ? anchor : best));
}
