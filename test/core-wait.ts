import { readFileSync } from 'node:fs';

/**
 * Reads how long a thread was ready to run but had no core, in milliseconds. That time belongs to the other processes
 * of the machine. Returns 0 on systems other than Linux, which do not tell it, and for a thread that has ended.
 * @param thread its folder in /proc
 */
export function readCoreWaitMs(thread: string): number {
  try {
    // Time on a core and time without one in nanoseconds, and the number of time slices.
    const [, waitedNs] = readFileSync(`${thread}/schedstat`, 'latin1').split(' ');
    return Number(waitedNs) / 1e6;
  } catch {
    return 0;
  }
}
