/** A clock that only the test turns; who sleeps wakes when it has come far enough. */
export function makeTurnedClock() {
  let now = 0;
  const sleepers = new Set<{ until: number; wake: () => void }>();
  const settle = () => new Promise(setImmediate);
  return {
    elapsed: () => now,
    sleep: (ms: number) =>
      new Promise<void>((wake) => {
        sleepers.add({ until: now + ms, wake });
      }),
    sleepers: () => sleepers.size,
    /** Turns it on, step by step, so that each sleeper wakes at its own time. */
    async advance(ms: number): Promise<void> {
      const until = now + ms;
      for (;;) {
        await settle();
        const [next] = [...sleepers].sort((one, other) => one.until - other.until);
        if (!next || next.until > until) break;
        now = Math.max(now, next.until);
        sleepers.delete(next);
        next.wake();
      }
      now = until;
      await settle();
    },
  };
}
