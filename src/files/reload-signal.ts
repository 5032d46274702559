import type { AbortableSleep } from '#time/sleep.ts';

/** Waits until files are to be read again. It never rejects. */
export type PollSleep = (ms: number, signal: AbortSignal) => Promise<unknown>;

/** A sleep that ends early when files are to be read again. */
export interface ReloadSignal {
  /** Resolves with `asked` if `reload` has ended it. */
  sleep: PollSleep;
  /** Ends the sleep of everybody. */
  reload(): void;
}

/** Makes such a sleep: what polls files with it reads them at once when `reload` is called. */
export function makeReloadSignal(sleep: AbortableSleep): ReloadSignal {
  let next = new AbortController();
  return {
    async sleep(ms, signal) {
      const asked = next.signal;
      await sleep(ms, AbortSignal.any([signal, asked]));
      return asked.aborted ? 'asked' : undefined;
    },
    reload() {
      next.abort();
      next = new AbortController();
    },
  };
}
