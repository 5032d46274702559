/** Watches the clock of the database with a clock that only goes forward. */
export interface DatabaseClock {
  /**
   * Notes that the database's clock showed `now` at some moment since `beganAt`. Returns how far it was
   * set back since the last reading, in ms, at least; 0 when it may not have been.
   */
  observe(now: number, beganAt: number): number;
}

// Time synchronization sets clocks back by some milliseconds, which changes nothing here. Lower: such a
// step shortens waits. Higher: a real step stays unnoticed.
export const clockToleranceMs = 1_000;

/** Makes a watch that has no reading yet. */
export function makeDatabaseClock(elapsed: () => number): DatabaseClock {
  let last: { now: number; endedAt: number } | undefined;
  return {
    observe(now, beganAt) {
      // The shortest possible time between the two readings, however long each of them took.
      const sinceMs = last ? beganAt - last.endedAt : 0;
      const backMs = last ? last.now + sinceMs - now : 0;
      last = { now, endedAt: elapsed() };
      return backMs > clockToleranceMs ? Math.floor(backMs) : 0;
    },
  };
}
