import type { Log } from '#telemetry/log.ts';
import { makeOutageLog } from '#telemetry/outage-log.ts';
import type { AbortableSleep } from '#time/sleep.ts';

/** Waits for changes of jobs, for any number of waiters. */
export interface JobWatch {
  /** Notes that this process has changed a job, and releases its waiters. Call it after the commit. */
  changed(jobId: string): void;
  /**
   * Resolves when the version of the job is above `version`, when `ms` have passed, or when `signal`
   * aborts. Never rejects. The job and the signal tell which of the three it was.
   */
  waitForChange(
    jobId: string,
    version: number,
    until: { ms: number; signal: AbortSignal },
  ): Promise<void>;
}

/** What a watch needs. */
export interface JobWatchOptions {
  /** Reads the versions of jobs in one query. A job that does not exist is left out. */
  readVersions: (jobIds: string[]) => Promise<Map<string, number>>;
  sleep: AbortableSleep;
  log: Log;
}

// Shorter: many replicas query the database for nothing. Longer: a change of another replica is noticed
// late. Changes of this process do not wait for a poll.
const pollIntervalMs = 1_000;

/** A waiter: the version it knows, and how to release it. */
interface Waiter {
  version: number;
  release: () => void;
}

/**
 * Makes the watch. It sends one query per second for all watched jobs together, and none while there
 * are no waiters. After a failed query the waiters keep waiting.
 */
export function makeJobWatch({ readVersions, sleep, log }: JobWatchOptions): JobWatch {
  const waiters = new Map<string, Set<Waiter>>();
  const changedHere = new Set<string>();
  let isPolling = false;
  let isCheckingChanged = false;
  const outage = makeOutageLog({ log });
  let pause = new AbortController();

  async function releaseChanged(jobIds: string[]): Promise<void> {
    try {
      const versions = await readVersions(jobIds);
      outage.worked({}, 'polls watched jobs again');
      for (const jobId of jobIds) {
        const version = versions.get(jobId) ?? Number.POSITIVE_INFINITY; // the waiter reads the job again and learns that it is gone
        for (const waiter of waiters.get(jobId) ?? []) {
          if (version > waiter.version) waiter.release();
        }
      }
    } catch (err) {
      outage.failed({ err }, 'failed to poll watched jobs, retrying');
    }
  }

  async function poll(): Promise<void> {
    if (isPolling) return;
    isPolling = true;
    while (waiters.size > 0) {
      pause = new AbortController();
      await sleep(pollIntervalMs, pause.signal);
      if (!pause.signal.aborted) await releaseChanged([...waiters.keys()]);
    }
    isPolling = false;
  }

  async function checkChanged(): Promise<void> {
    if (isCheckingChanged) return;
    isCheckingChanged = true;
    await undefined; // one query for everything that changes in this tick
    while (changedHere.size > 0) {
      const jobIds = [...changedHere].filter((jobId) => waiters.has(jobId));
      changedHere.clear();
      if (jobIds.length > 0) await releaseChanged(jobIds);
    }
    isCheckingChanged = false;
  }

  function leave(jobId: string, waiter: Waiter): void {
    const others = waiters.get(jobId);
    others?.delete(waiter);
    if (others?.size === 0) waiters.delete(jobId);
    if (waiters.size === 0) pause.abort();
  }

  return {
    changed(jobId) {
      if (!waiters.has(jobId)) return;
      changedHere.add(jobId);
      void checkChanged();
    },

    async waitForChange(jobId, version, { ms, signal }) {
      if (signal.aborted) return;
      const released = new AbortController();
      const waiter = { version, release: () => released.abort() };
      signal.addEventListener('abort', waiter.release);
      waiters.set(jobId, (waiters.get(jobId) ?? new Set()).add(waiter));
      void poll();
      await sleep(ms, released.signal); // a change ends this sleep
      signal.removeEventListener('abort', waiter.release);
      leave(jobId, waiter);
    },
  };
}
