import type { Emulator } from 'cloudwatch-logs-export-emulator/source';

/** Time that a test advances, for the emulator, the database and all sleepers. */
export interface VirtualTime {
  now(): number;
  /** Notes that so many more loops sleep from time to time; fewer if negative. */
  expectSleepers(more: number): void;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Advances time from one sleeper to the next until the condition holds. */
  runUntil(condition: () => boolean | Promise<boolean>): Promise<void>;
  /** Advances time by `ms` and wakes each sleeper that is due on the way. */
  runFor(ms: number): Promise<void>;
}

// A test that waits in vain ends after this time and says why.
const patienceMs = 2 * 3_600_000;

/**
 * Makes virtual time from the clock of an emulator that was opened with `startAt`. Time advances only
 * while all expected sleepers sleep.
 */
export function makeVirtualTime({ clock }: Emulator): VirtualTime {
  const asleep = new Set<{ dueAt: number; wake: () => void }>();
  let expected = 0;
  let noteChange = () => {};
  function nextDueAt(): number {
    if (asleep.size === 0) throw new Error('Nothing sleeps, so nothing more will happen.');
    return Math.max(clock.now(), Math.min(...[...asleep].map(({ dueAt }) => dueAt)));
  }

  // It does not look in a loop: PostgreSQL, which they wait for, needs the core.
  async function allAsleep(): Promise<void> {
    while (asleep.size < expected) {
      await new Promise<void>((resolve) => {
        noteChange = resolve;
      });
      await new Promise(setImmediate); // one that has just woken another may fall asleep first
    }
  }
  function wakeDue(): void {
    for (const sleeper of asleep) if (sleeper.dueAt <= clock.now()) sleeper.wake();
  }

  return {
    now: () => clock.now(),
    expectSleepers(more) {
      expected += more;
      noteChange();
    },
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
        noteChange();
        if (signal?.aborted) sleeper.wake();
        else signal?.addEventListener('abort', sleeper.wake);
      });
    },
    async runUntil(condition) {
      const until = clock.now() + patienceMs;
      await allAsleep();
      while (!(await condition())) {
        if (clock.now() > until) throw new Error('The condition did not hold within two hours.');
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
