/** A clock that a test advances. */
export interface Time {
  now(): number;
  elapsed(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Advances the clock by `ms`, wakes the sleepers that are due, and waits until they sleep again. */
  advance(ms: number): Promise<void>;
}

/** Makes a clock. It advances only while the given number of sleepers sleep. */
export function makeTime(sleepers: number, startAt = Date.UTC(2026, 10, 25)): Time {
  let at = startAt;
  const asleep = new Set<{ dueAt: number; wake: () => void }>();
  const allAsleep = async () => {
    while (asleep.size < sleepers) await new Promise(setImmediate);
  };
  return {
    now: () => at,
    elapsed: () => at - startAt,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const sleeper = {
          dueAt: at + ms,
          wake() {
            asleep.delete(sleeper);
            resolve();
          },
        };
        asleep.add(sleeper);
        if (signal.aborted) sleeper.wake();
        else signal.addEventListener('abort', sleeper.wake, { once: true });
      }),
    async advance(ms) {
      const until = at + ms;
      await allAsleep();
      for (;;) {
        const [next] = [...asleep].sort((one, other) => one.dueAt - other.dueAt);
        if (!next || next.dueAt > until) break;
        at = Math.max(at, next.dueAt);
        next.wake();
        await allAsleep();
      }
      at = until;
    },
  };
}
