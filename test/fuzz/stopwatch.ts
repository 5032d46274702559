import { readCoreWaitMs } from '../core-wait.ts';

/** Begins a measurement. The returned function ends it, and returns its milliseconds. */
export type Stopwatch = () => () => number;

/**
 * Makes a stopwatch for requests of this thread to another process. It does not count the time in which
 * this thread, or the main thread of that process, was ready to run but had no core.
 */
export function makeStopwatch(pid: number): Stopwatch {
  const threads = [`/proc/${pid}`, '/proc/thread-self'];
  const waitedMs = () => threads.reduce((sum, thread) => sum + readCoreWaitMs(thread), 0);
  return () => {
    const beganAt = performance.now();
    const waitedBeforeMs = waitedMs();
    return () => Math.max(0, performance.now() - beganAt - (waitedMs() - waitedBeforeMs));
  };
}
