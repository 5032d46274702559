import { readFileSync } from 'node:fs';

/** Begins a measurement. The returned function ends it, and returns its milliseconds. */
export type Stopwatch = () => () => number;

/**
 * Makes a stopwatch for requests of this thread to another process. It does not count the time in which
 * this thread, or the main thread of that process, was ready to run but had no core: it belongs to the
 * other processes of the machine. Systems other than Linux do not tell it, and it counts there.
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

function readCoreWaitMs(thread: string): number {
  try {
    // Time on a core and time without one in nanoseconds, and the number of time slices.
    const [, waitedNs] = readFileSync(`${thread}/schedstat`, 'latin1').split(' ');
    return Number(waitedNs) / 1e6;
  } catch {
    return 0; // not on Linux, or the process has ended
  }
}
