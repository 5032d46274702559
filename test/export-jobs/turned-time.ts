import type { Emulator } from 'cloudwatch-logs-export-emulator/source';

/**
 * Time that stands still until it is turned, for the emulator, the database and everybody who sleeps.
 */
export interface TurnedTime {
  now(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Turns time from one sleeper to the next until the condition holds. */
  runUntil(condition: () => boolean | Promise<boolean>): Promise<void>;
  /** Turns time on by `ms`, waking whoever is due on the way. */
  runFor(ms: number): Promise<void>;
}

// So that a test that waits in vain ends, and says why.
const patienceMs = 2 * 3_600_000;

/**
 * Makes time of an emulator's clock. It was opened with `startAt`. Time is turned only while as many
 * are asleep as `sleepers` says there are.
 */
export function makeTurnedTime({ clock }: Emulator, sleepers: () => number): TurnedTime {
  const asleep = new Set<{ dueAt: number; wake: () => void }>();
  function nextDueAt(): number {
    if (asleep.size === 0) throw new Error('Nobody is asleep: nothing more will happen.');
    return Math.max(clock.now(), Math.min(...[...asleep].map(({ dueAt }) => dueAt)));
  }

  async function allAsleep(): Promise<void> {
    while (asleep.size < sleepers()) await new Promise(setImmediate);
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
    async runUntil(condition) {
      const until = clock.now() + patienceMs;
      await allAsleep();
      while (!(await condition())) {
        if (clock.now() > until) throw new Error('It has not come true within two hours.');
        clock.set(nextDueAt());
        wakeDue();
        await allAsleep();
      }
    },
    async runFor(ms) {
      const until = clock.now() + ms;
      await allAsleep();
      while (asleep.size > 0 && nextDueAt() <= until) {
        clock.set(nextDueAt());
        wakeDue();
        await allAsleep();
      }
      clock.set(Math.max(clock.now(), until));
    },
  };
}
