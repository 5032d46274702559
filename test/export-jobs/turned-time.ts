import type { Emulator } from '#emulator/emulator.ts';

/** Time that stands still until it is turned, for the emulator, the database and everybody who sleeps. */
export interface TurnedTime {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Turns time from one sleeper to the next until the condition holds. All `sleepers` must be asleep. */
  runUntil(condition: () => boolean | Promise<boolean>, sleepers?: number): Promise<void>;
  /** Turns time on by `ms`, waking whoever is due on the way. */
  runFor(ms: number, sleepers?: number): Promise<void>;
}

/** Makes time of an emulator's clock. It was opened with `startAt`. */
export function makeTurnedTime({ clock }: Emulator): TurnedTime {
  const asleep = new Set<{ dueAt: number; wake: () => void }>();
  const nextDueAt = () => Math.min(...[...asleep].map(({ dueAt }) => dueAt));

  async function allAsleep(sleepers: number): Promise<void> {
    while (asleep.size < sleepers) await new Promise(setImmediate);
  }
  function wakeDue(): void {
    for (const sleeper of asleep) if (sleeper.dueAt <= clock.now()) sleeper.wake();
  }

  return {
    now: () => clock.now(),
    sleep(ms, signal) {
      return new Promise((resolve) => {
        const sleeper = {
          dueAt: clock.now() + Math.ceil(ms),
          wake() {
            asleep.delete(sleeper);
            signal?.removeEventListener('abort', sleeper.wake);
            resolve();
          },
        };
        asleep.add(sleeper);
        if (signal?.aborted) sleeper.wake();
        else signal?.addEventListener('abort', sleeper.wake);
      });
    },
    async runUntil(condition, sleepers = 1) {
      await allAsleep(sleepers);
      while (!(await condition())) {
        clock.set(nextDueAt());
        wakeDue();
        await allAsleep(sleepers);
      }
    },
    async runFor(ms, sleepers = 1) {
      const until = clock.now() + ms;
      await allAsleep(sleepers);
      while (nextDueAt() <= until) {
        clock.set(nextDueAt());
        wakeDue();
        await allAsleep(sleepers);
      }
      clock.set(until);
    },
  };
}
