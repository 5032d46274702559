/** A clock that only the test advances. A sleep ends when the clock has reached its end, or its signal aborts. */
export function makeManualClock() {
  let now = 0;
  const sleepers = new Set<{ until: number; wake: () => void }>();
  const flush = () => new Promise(setImmediate);
  const nextBy = (until: number) =>
    [...sleepers]
      .filter((sleeper) => sleeper.until <= until)
      .sort((one, other) => one.until - other.until)
      .at(0);
  return {
    elapsed: () => now,
    async sleep(ms: number, signal?: AbortSignal): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = () => resolve();
      const sleeper = { until: now + ms, wake };
      sleepers.add(sleeper);
      signal?.addEventListener('abort', wake);
      if (signal?.aborted) wake();
      await promise;
      signal?.removeEventListener('abort', wake);
      sleepers.delete(sleeper);
    },
    sleepers: () => sleepers.size,
    /** Advances the clock in steps, so that each sleep ends at its own time. */
    async advance(ms: number): Promise<void> {
      const until = now + ms;
      for (;;) {
        await flush();
        const next = nextBy(until);
        if (!next) break;
        now = Math.max(now, next.until);
        sleepers.delete(next);
        next.wake();
      }
      now = until;
      await flush();
    },
    /** Advances the clock in one step. Sleeps that are due end in their order. */
    async jump(ms: number): Promise<void> {
      now += ms;
      for (let next = nextBy(now); next; next = nextBy(now)) {
        sleepers.delete(next);
        next.wake();
      }
      await flush();
    },
  };
}
