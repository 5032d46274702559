import { makeWakeSignal } from './pacing/wake-signal.ts';
import type { DispatcherOptions } from './replica/dispatcher-options.ts';
import { lookAfterSlots } from './replica/look-after-slots.ts';
import { makeSlotWorkers } from './replica/slot-workers.ts';

/** Fills free slots from the queues and watches running tasks, for all targets at once. */
export interface Dispatcher {
  /** Looks for work at once, because a queue has changed. Otherwise it looks every second. */
  wake(): void;
  /** Starts nothing more, records what is in progress, and releases the slots. */
  close(): Promise<void>;
}

/** Opens the dispatcher: it looks for work, and each target with work has a worker. */
export function openDispatcher(options: DispatcherOptions): Dispatcher {
  const stop = new AbortController();
  const wakeSignal = makeWakeSignal();
  const workers = makeSlotWorkers(options, stop.signal);
  const ended = lookAfterSlots(options, workers, wakeSignal, stop.signal);
  options.track?.(ended);
  return {
    wake: wakeSignal.wake,
    async close() {
      stop.abort();
      wakeSignal.wake();
      for (const worker of workers.all()) worker.wake();
      await ended;
    },
  };
}
