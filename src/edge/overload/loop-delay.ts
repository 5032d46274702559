import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

import { makeLateness } from './lateness.ts';

/** How late the event loop is because of its own work, in milliseconds. */
export interface LoopDelay extends Disposable {
  currentMs(): number;
  /** Forgets what was measured so far: the start of a process is long turns, and no load. */
  restart(): void;
}

const resolutionMs = 10;
const windowMs = 500;

/** Opens a measurement of how late the event loop is. It does not keep the process alive. */
export function openLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  const lateness = makeLateness();
  let before = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    lateness.add({
      // NaN when the loop has not turned even once since: then this timer is the first to come through.
      delayMs: Math.max(0, (histogram.mean || 0) / 1e6 - resolutionMs),
      utilization: performance.eventLoopUtilization(now, before).utilization,
    });
    before = now;
    histogram.reset();
  }, windowMs);
  timer.unref();
  return {
    currentMs: lateness.currentMs,
    restart() {
      timer.refresh();
      before = performance.eventLoopUtilization();
      histogram.reset();
      lateness.forget();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
