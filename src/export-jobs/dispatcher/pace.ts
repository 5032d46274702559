/** Keeps the calls to AWS for one slot apart: one a second on average, and reads never closer. */
export interface Gate {
  /** Milliseconds until a read may be sent; 0 when now. */
  freeInMs(): number;
  /** Milliseconds until a second has passed since the last call. */
  apartInMs(): number;
  /** Counts a call. A create or cancel need not wait, but the reads after it wait the longer. */
  count(): void;
  /** Notes one of the few calls a minute that are not counted: reads only keep apart from it. */
  note(): void;
}

// A create follows the read that saw the slot free in the same breath: two calls at once.
const mostSaved = 2;
// What is left of a call a second is for the sweeps.
const countedShare = 0.985;

/** Makes a gate by a clock that only goes forward. */
export function makeGate({ elapsed, everyMs }: { elapsed: () => number; everyMs: number }): Gate {
  const savedEveryMs = everyMs / countedShare;
  let saved = mostSaved;
  let savedAt = elapsed();
  let lastAt = Number.NEGATIVE_INFINITY;

  const save = () => {
    const now = elapsed();
    saved = Math.min(mostSaved, saved + (now - savedAt) / savedEveryMs);
    savedAt = now;
  };
  const apartInMs = () => Math.max(0, Math.ceil(lastAt + everyMs - elapsed()));
  return {
    apartInMs,
    freeInMs() {
      save();
      return Math.max(apartInMs(), Math.ceil((1 - saved) * savedEveryMs));
    },
    count() {
      save();
      saved -= 1;
      lastAt = savedAt;
    },
    note() {
      lastAt = elapsed();
    },
  };
}

// How long after the expected end to ask: AWS's clock is the one the durations were read from, and
// asking a little too early costs a whole second.
const afterEndMs = 50;
const everyMs = 1_000;
// Fewer, and the next task may well be much shorter than all of them, and be waited for.
const fewest = 5;

/**
 * When to ask AWS for a running task next, in milliseconds since its create: tight just after the
 * start (what fails, fails early) and near the expected end, slower between and long after. `askedAt`
 * is when it was asked last, 0 before the first time; `freeAt` is when it may be asked; `durations`
 * are those of tasks like it, newest first; of few nothing is concluded.
 */
export function nextAskAt(askedAt: number, freeAt: number, durations: readonly number[]): number {
  if (durations.length < fewest) return askedAt + slower(askedAt);
  const shortest = Math.min(...durations);
  const longest = Math.max(...durations);
  const isLong = shortest > 10_000;
  if (isLong && askedAt < 3_000) return askedAt + everyMs;
  const nearEndAt = 0.9 * shortest;
  if (nearEndAt - askedAt > 15_000) return askedAt + 15_000;
  if (askedAt > 2 * longest) return askedAt + slower(askedAt - longest);
  // Timers are late, so the last question came a little after its instant. The next instant is then
  // less than a second away, and is the one to hit all the same, as soon as the second is over.
  const notBefore = Math.max(nearEndAt, askedAt + everyMs / 2, freeAt - everyMs / 4);
  const anchor = bestAnchor(durations) + afterEndMs;
  const hitAt = anchor + everyMs * Math.ceil((notBefore - anchor) / everyMs);
  return Math.max(hitAt, askedAt + everyMs);
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

/** What is remembered of how long tasks took: of each log group the newest 25, and of all. */
export interface Durations {
  add(logGroupName: string, durationMs: number): void;
  /** Of this log group; of any, when it is new; newest first. */
  of(logGroupName: string): readonly number[];
}

const mostRemembered = 25;

/** Makes such a memory from what the database remembers, newest first. */
export function makeDurations(
  remembered: readonly { logGroupName: string; durationMs: number }[],
): Durations {
  const all: number[] = [];
  const byGroup = new Map<string, number[]>();
  const push = (list: number[], durationMs: number) => {
    list.unshift(durationMs);
    list.splice(mostRemembered);
  };
  const add = (logGroupName: string, durationMs: number) => {
    push(all, durationMs);
    const own = byGroup.get(logGroupName) ?? [];
    push(own, durationMs);
    byGroup.delete(logGroupName); // to the end: the oldest are forgotten first
    byGroup.set(logGroupName, own);
    if (byGroup.size > 1_000) byGroup.delete(byGroup.keys().next().value as string);
  };
  for (const { logGroupName, durationMs } of remembered.toReversed()) add(logGroupName, durationMs);
  return { add, of: (logGroupName) => byGroup.get(logGroupName) ?? all };
}
