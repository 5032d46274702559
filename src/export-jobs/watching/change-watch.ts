import type { Log } from '#telemetry/log.ts';
import { makeOutageLog } from '#telemetry/outage-log.ts';
import type { AbortableSleep } from '#time/sleep.ts';

/** Waits for changes of things with a version, jobs or archives, for any number of waiters. */
export interface ChangeWatch {
  /** Notes that this process has changed one of them, and releases its waiters. Call it after the commit. */
  changed(id: string): void;
  /**
   * Resolves when the version is above `version`, when `ms` have passed, or when `signal` aborts. Never
   * rejects. The version and the signal tell which of the three it was.
   */
  waitForChange(
    id: string,
    version: number,
    until: { ms: number; signal: AbortSignal },
  ): Promise<void>;
}

/** What a watch needs. */
export interface ChangeWatchOptions {
  /** What is watched, for the log. */
  what: 'jobs' | 'archives';
  /** Reads the versions in one query. What does not exist is left out. */
  readVersions: (ids: string[]) => Promise<Map<string, number>>;
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
 * Makes the watch. It sends one query per second for everything that is watched, and none while there
 * are no waiters. After a failed query the waiters keep waiting.
 */
export function makeChangeWatch({
  what,
  readVersions,
  sleep,
  log,
}: ChangeWatchOptions): ChangeWatch {
  const waiters = new Map<string, Set<Waiter>>();
  const changedHere = new Set<string>();
  let isPolling = false;
  let isCheckingChanged = false;
  const outage = makeOutageLog({ log });
  let pause = new AbortController();

  async function releaseChanged(ids: string[]): Promise<void> {
    try {
      const versions = await readVersions(ids);
      outage.worked({ what }, 'polls for changes again');
      for (const id of ids) {
        const version = versions.get(id) ?? Number.POSITIVE_INFINITY; // the waiter reads it again and learns that it is gone
        for (const waiter of waiters.get(id) ?? []) {
          if (version > waiter.version) waiter.release();
        }
      }
    } catch (err) {
      outage.failed({ err, what }, 'failed to poll for changes, retrying');
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
      const ids = [...changedHere].filter((id) => waiters.has(id));
      changedHere.clear();
      if (ids.length > 0) await releaseChanged(ids);
    }
    isCheckingChanged = false;
  }

  function leave(id: string, waiter: Waiter): void {
    const others = waiters.get(id);
    others?.delete(waiter);
    if (others?.size === 0) waiters.delete(id);
    if (waiters.size === 0) pause.abort();
  }

  return {
    changed(id) {
      if (!waiters.has(id)) return;
      changedHere.add(id);
      void checkChanged();
    },

    async waitForChange(id, version, { ms, signal }) {
      if (signal.aborted) return;
      const released = new AbortController();
      const waiter = { version, release: () => released.abort() };
      signal.addEventListener('abort', waiter.release);
      waiters.set(id, (waiters.get(id) ?? new Set()).add(waiter));
      void poll();
      await sleep(ms, released.signal); // a change ends this sleep
      signal.removeEventListener('abort', waiter.release);
      leave(id, waiter);
    },
  };
}
