import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop is: what its turns took beyond their due, in the mean of the last second. */
export interface LoopDelay extends Disposable {
  currentMs(): number;
}

const resolutionMs = 10;
// Shorter, and a cold start or a neighbour on the machine looks like overload; longer, and a flood is
// let in, and its end not noticed, for as long.
const readEveryMs = 1_000;

/** Opens a measurement of how late the event loop is. It does not keep the process alive. */
export function openLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  let delayMs = 0;
  const timer = setInterval(() => {
    // NaN when the loop has not turned even once since: then this timer is the first to come through.
    delayMs = Math.max(0, (histogram.mean || 0) / 1e6 - resolutionMs);
    histogram.reset();
  }, readEveryMs);
  timer.unref();
  return {
    currentMs: () => delayMs,
    [Symbol.dispose]() {
      clearInterval(timer);
      histogram.disable();
    },
  };
}
