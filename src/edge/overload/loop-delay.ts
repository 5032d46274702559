import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

import { makeLateness } from './lateness.ts';

/** The delay of the event loop that its own work causes, in milliseconds. */
export interface LoopDelay extends Disposable {
  currentMs(): number;
  /** Discards the measurements so far: the long turns of a start are not load. */
  restart(): void;
}

const resolutionMs = 10;
const windowMs = 500;

/** Opens the measurement of the event loop delay. It does not keep the process alive. */
export function openLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  const lateness = makeLateness();
  let before = performance.eventLoopUtilization();
  const timer = setInterval(() => {
    const now = performance.eventLoopUtilization();
    lateness.add({
      // The mean is NaN if the loop has not turned since the last window.
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
