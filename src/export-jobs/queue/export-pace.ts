/** How fast a target's exports follow one another, learned from those before. Times in milliseconds. */
export interface Pace {
  /** From sending an export task to knowing its end. */
  runMs: number;
  /** From an end to sending the next. */
  handOffMs: number;
}

/** An attempt that has ended. Instants are of the clock of the database. */
export interface EndedAttempt {
  submittedAt: number;
  endedAt: number;
  outcome: string | null;
}

// More, and the pace of last week counts; fewer, and one large log group makes everything slow.
const attemptsCounted = 20;
// A longer pause was no hand-off: nobody waited, or somebody else had the slot.
const longestHandOffMs = 60_000;

/**
 * The pace by the latest attempts, latest first: the mean of their durations plus the mean of the
 * pauses between one and the next. Attempts that were refused or cancelled do not say how long an
 * export takes. `undefined` when none has run.
 */
export function paceOf(attempts: readonly EndedAttempt[]): Pace | undefined {
  const ran = attempts
    .filter(({ outcome }) => outcome === 'completed' || outcome === 'failed')
    .slice(0, attemptsCounted);
  if (ran.length === 0) return undefined;
  const pauses = ran
    .slice(1)
    .map(({ endedAt }, index) => (ran[index]?.submittedAt ?? endedAt) - endedAt)
    .filter((pauseMs) => pauseMs >= 0 && pauseMs <= longestHandOffMs);
  return {
    runMs: meanOf(ran.map(({ submittedAt, endedAt }) => endedAt - submittedAt)),
    handOffMs: meanOf(pauses),
  };
}

function meanOf(durations: readonly number[]): number {
  if (durations.length === 0) return 0;
  return Math.round(durations.reduce((sum, ms) => sum + ms, 0) / durations.length);
}
