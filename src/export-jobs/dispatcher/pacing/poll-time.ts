// How long after the expected end to ask: AWS's clock is the one the durations were read from, and
// asking a little too early costs a whole second.
const afterEndMs = 50;
const everyMs = 1_000;
// Fewer, and the next task may well be much shorter than all of them, and be waited for.
const fewest = 5;

/**
 * When to ask AWS for a running task next, in milliseconds since its create: tight just after the
 * start (what fails, fails early) and near the expected end, slower between and long after. `polledAt`
 * is when it was asked last, 0 before the first time; `freeAt` is when it may be asked; `durations`
 * are those of tasks like it, newest first; of few nothing is concluded.
 */
export function nextPollAt(polledAt: number, freeAt: number, durations: readonly number[]): number {
  if (durations.length < fewest) return polledAt + slower(polledAt);
  const shortest = Math.min(...durations);
  const longest = Math.max(...durations);
  const isLong = shortest > 10_000;
  if (isLong && polledAt < 3_000) return polledAt + everyMs;
  const nearEndAt = 0.9 * shortest;
  if (nearEndAt - polledAt > 15_000) return polledAt + 15_000;
  if (polledAt > 2 * longest) return polledAt + slower(polledAt - longest);
  // Timers are late, so the last question came a little after its instant. The next instant is then
  // less than a second away, and is the one to hit all the same, as soon as the second is over.
  const notBefore = Math.max(nearEndAt, polledAt + everyMs / 2, freeAt - everyMs / 4);
  const anchor = bestAnchor(durations) + afterEndMs;
  const hitAt = anchor + everyMs * Math.ceil((notBefore - anchor) / everyMs);
  return Math.max(hitAt, polledAt + everyMs);
}

// Somewhat more than a second, or a sweep that is overdue would never find a gap.
const slower = (sinceMs: number) => Math.min(Math.max(sinceMs / 60, 1.05 * everyMs), 10_000);

/**
 * The instant to hit when asking once a second. Of tasks that take about the same time it is the end
 * that would have seen all of them soonest; of others a little after the longest: so no question is
 * spent on the time before the first of them ends.
 */
function bestAnchor(durations: readonly number[]): number {
  const longest = Math.max(...durations);
  const spread = longest - Math.min(...durations);
  if (spread > everyMs) return longest + 0.15 * spread;
  const waits = (anchor: number) =>
    durations.reduce(
      (sum, duration) => sum + ((((anchor - duration) % everyMs) + everyMs) % everyMs),
      0,
    );
  return durations.reduce((best, anchor) => (waits(anchor) < waits(best) ? anchor : best));
}
