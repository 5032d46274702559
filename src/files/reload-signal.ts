import type { AbortableSleep } from '#time/sleep.ts';

/** A sleep that ends early when files are to be read again. */
export interface ReloadSignal {
  sleep: AbortableSleep;
  /** Ends the sleep of everybody. */
  reload(): void;
}

/** Makes such a sleep: what polls files with it reads them at once when `reload` is called. */
export function makeReloadSignal(sleep: AbortableSleep): ReloadSignal {
  let next = new AbortController();
  return {
    sleep: (ms, signal) => sleep(ms, AbortSignal.any([signal, next.signal])),
    reload() {
      next.abort();
      next = new AbortController();
    },
  };
}
