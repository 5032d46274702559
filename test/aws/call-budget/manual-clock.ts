/** A clock that only the test advances. A sleep ends when the clock has reached its end. */
export function makeManualClock() {
  let now = 0;
  const sleepers = new Set<{ until: number; wake: () => void }>();
  const flush = () => new Promise(setImmediate);
  return {
    elapsed: () => now,
    sleep: (ms: number) =>
      new Promise<void>((wake) => {
        sleepers.add({ until: now + ms, wake });
      }),
    sleepers: () => sleepers.size,
    /** Advances the clock in steps, so that each sleep ends at its own time. */
    async advance(ms: number): Promise<void> {
      const until = now + ms;
      for (;;) {
        await flush();
        const [next] = [...sleepers].sort((one, other) => one.until - other.until);
        if (!next || next.until > until) break;
        now = Math.max(now, next.until);
        sleepers.delete(next);
        next.wake();
      }
      now = until;
      await flush();
    },
  };
}
