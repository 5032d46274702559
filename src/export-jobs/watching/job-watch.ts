import type { Log } from '#telemetry/log.ts';
import type { AbortableSleep } from '#time/sleep.ts';

/** Waiting for jobs to change, however many wait. */
export interface JobWatch {
  /** Says that this process has changed a job: its waiters are looked after at once. Called after the commit. */
  changed(jobId: string): void;
  /**
   * Resolves when the job's version is above `version`, when `ms` have passed or when `signal` is
   * aborted. Never rejects; look at the job and the signal to know which it was.
   */
  waitForChange(
    jobId: string,
    version: number,
    until: { ms: number; signal: AbortSignal },
  ): Promise<void>;
}

/** What a watch needs. */
export interface JobWatchOptions {
  /** The versions of these jobs, in one query; a job that does not exist is left out. */
  readVersions: (jobIds: string[]) => Promise<Map<string, number>>;
  sleep: AbortableSleep;
  log: Pick<Log, 'warn'>;
}

// Younger, and many replicas ask the database for nothing; older, and a change of another replica
// feels late. Changes of this process do not wait for it.
const pollIntervalMs = 1_000;

/** A caller that waits: for what, and how to let it go. */
interface Waiter {
  version: number;
  release: () => void;
}

/**
 * Makes the watch: one query a second for all watched jobs together, none while nobody waits. A
 * query that fails is not an answer; whoever waits goes on waiting.
 */
export function makeJobWatch({ readVersions, sleep, log }: JobWatchOptions): JobWatch {
  const waiters = new Map<string, Set<Waiter>>();
  const changedHere = new Set<string>();
  let isLookingRegularly = false;
  let isLookingAtChanged = false;
  let isFailing = false;
  let pause = new AbortController();

  async function look(jobIds: string[]): Promise<void> {
    try {
      const versions = await readVersions(jobIds);
      isFailing = false;
      for (const jobId of jobIds) {
        const version = versions.get(jobId) ?? Number.POSITIVE_INFINITY; // whoever looks again, sees
        for (const waiter of waiters.get(jobId) ?? []) {
          if (version > waiter.version) waiter.release();
        }
      }
    } catch (err) {
      if (!isFailing) log.warn({ err }, 'failed to poll watched jobs, retrying');
      isFailing = true;
    }
  }

  async function lookRegularly(): Promise<void> {
    if (isLookingRegularly) return;
    isLookingRegularly = true;
    while (waiters.size > 0) {
      pause = new AbortController();
      await sleep(pollIntervalMs, pause.signal);
      if (!pause.signal.aborted) await look([...waiters.keys()]);
    }
    isLookingRegularly = false;
  }

  async function lookAtChanged(): Promise<void> {
    if (isLookingAtChanged) return;
    isLookingAtChanged = true;
    await undefined; // whatever else this turn changes, is looked at together
    while (changedHere.size > 0) {
      const jobIds = [...changedHere].filter((jobId) => waiters.has(jobId));
      changedHere.clear();
      if (jobIds.length > 0) await look(jobIds);
    }
    isLookingAtChanged = false;
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
      void lookAtChanged();
    },

    async waitForChange(jobId, version, { ms, signal }) {
      if (signal.aborted) return;
      const released = new AbortController();
      const waiter = { version, release: () => released.abort() };
      signal.addEventListener('abort', waiter.release);
      waiters.set(jobId, (waiters.get(jobId) ?? new Set()).add(waiter));
      void lookRegularly();
      await sleep(ms, released.signal); // waiting is a sleep that a change ends
      signal.removeEventListener('abort', waiter.release);
      leave(jobId, waiter);
    },
  };
}
