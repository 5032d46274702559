import { untilMigrated } from '#database/until-migrated.ts';
import { makeWakeSignal } from '#time/wake-signal.ts';
import { makeKeeperAlerts } from './keeper-alerts.ts';
import type { KeeperOptions } from './look.ts';
import { makeLooker } from './looker.ts';

/** Looks after the archives of all callers, as long as it is open. */
export interface Keeper {
  /** Looks for archives that are due at once. Otherwise it does so every few seconds. */
  wake(): void;
  /** Begins no further look, and ends those that go on. */
  close(): Promise<void>;
}

/** Opens the keeper. While no archive is due, it makes one statement every few seconds. */
export function openKeeper(options: KeeperOptions): Keeper {
  const { database, timings, sleep } = options;
  const stop = new AbortController();
  const { signal } = stop;
  const wakeSignal = makeWakeSignal();
  const looker = makeLooker({ ...options, alerts: makeKeeperAlerts(options) }, signal);
  const ended = run();
  options.track?.(ended);
  return {
    wake: wakeSignal.wake,
    async close() {
      stop.abort();
      wakeSignal.wake();
      await ended;
    },
  };

  async function run(): Promise<void> {
    await untilMigrated(database, signal);
    while (!signal.aborted) {
      await looker.beginDue();
      await wakeSignal.sleepUnlessWoken((woken) => sleep(timings.pollMs, woken));
    }
    await looker.whenIdle();
  }
}
