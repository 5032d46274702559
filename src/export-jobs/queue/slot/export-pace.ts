/** How fast the exports of a target follow one another, learned from earlier ones. In milliseconds. */
export interface Pace {
  /** From the send of an export task until its end is known. */
  runMs: number;
  /** From the end of one task to the send of the next. */
  handOffMs: number;
}

/** An attempt that has ended. Instants are by the clock of the database. */
export interface EndedAttempt {
  submittedAt: number;
  endedAt: number;
  outcome: string | null;
}

// Fewer: one large log group makes every estimate slow. More: the pace of last week still counts.
const maxAttempts = 20;
// A longer pause was no hand-off: nothing waited, or a foreign task held the slot.
const maxHandOffMs = 60_000;

/**
 * Computes the pace from the latest attempts, the latest first: the mean duration, and the mean pause
 * between two attempts. Refused and cancelled attempts do not count: they do not say how long an
 * export takes. `undefined` when none has run.
 */
export function paceOf(attempts: readonly EndedAttempt[]): Pace | undefined {
  const ran = attempts
    .filter(({ outcome }) => outcome === 'completed' || outcome === 'failed')
    .slice(0, maxAttempts);
  if (ran.length === 0) return undefined;
  const pauses = ran
    .slice(1)
    .map(({ endedAt }, index) => (ran[index]?.submittedAt ?? endedAt) - endedAt)
    .filter((pauseMs) => pauseMs >= 0 && pauseMs <= maxHandOffMs);
  return {
    runMs: meanOf(ran.map(({ submittedAt, endedAt }) => endedAt - submittedAt)),
    handOffMs: meanOf(pauses),
  };
}

function meanOf(durations: readonly number[]): number {
  if (durations.length === 0) return 0;
  return Math.round(durations.reduce((sum, ms) => sum + ms, 0) / durations.length);
}
