import { makeOutageLog } from '#telemetry/outage-log.ts';
import { makeWakeSignal } from '#time/wake-signal.ts';
import { openVerifier } from '../verification/verifier.ts';
import type { DispatcherOptions } from './replica/dispatcher-options.ts';
import { lookAfterSlots } from './replica/look-after-slots.ts';
import { makeSlotWorkers } from './replica/slot-workers.ts';

/** Fills free slots from the queues, watches running tasks and verifies exports, for all targets at once. */
export interface Dispatcher {
  /** Looks for work at once, because a queue has changed. Otherwise it looks every second. */
  wake(): void;
  /** Starts nothing more, records what is in progress, and releases the slots. */
  close(): Promise<void>;
}

// Statements of one slot can fail while the others work. Shorter: they have lines without end. Longer: the
// end is logged late.
const databaseCalmMs = 60_000;

/**
 * Opens the dispatcher: it looks for work, and each target with work has a worker. Exports are verified
 * beside them.
 */
export function openDispatcher(options: DispatcherOptions): Dispatcher {
  const stop = new AbortController();
  const wakeSignal = makeWakeSignal();
  // One for all slots: each of a thousand would have its own lines otherwise.
  const databaseOutage = makeOutageLog({ ...options, calmMs: databaseCalmMs });
  const shared = { ...options, databaseOutage };
  const verifier = openVerifier({ ...shared, wakeDispatcher: wakeSignal.wake });
  const workers = makeSlotWorkers({ ...shared, onVerifying: verifier.wake }, stop.signal);
  const ended = lookAfterSlots({ ...shared, verifier }, workers, wakeSignal, stop.signal);
  options.track?.(ended);
  return {
    wake: wakeSignal.wake,
    async close() {
      stop.abort();
      wakeSignal.wake();
      for (const worker of workers.all()) worker.wake();
      await Promise.all([ended, verifier.close()]);
    },
  };
}
