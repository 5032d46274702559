/** Time that stands still until it is turned. */
export interface Time {
  now(): number;
  elapsed(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Turns time on by `ms`, waking whoever is due on the way, and waits until they sleep again. */
  turn(ms: number): Promise<void>;
}

/** Makes time; it is turned only while as many sleep as `sleepers` says there are. */
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
    async turn(ms) {
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
