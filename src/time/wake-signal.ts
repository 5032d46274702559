/** Lets a loop sleep for a time or until it is woken. A wake-up before the sleep counts, too. */
export interface WakeSignal {
  wake(): void;
  sleepUnlessWoken(sleep: (signal: AbortSignal) => Promise<void>): Promise<void>;
}

/** Makes the wake signal of one loop. */
export function makeWakeSignal(): WakeSignal {
  let isWoken = false;
  let sleeper: AbortController | undefined;
  return {
    wake() {
      isWoken = true;
      sleeper?.abort();
    },
    async sleepUnlessWoken(sleep) {
      if (!isWoken) {
        sleeper = new AbortController();
        await sleep(sleeper.signal);
        sleeper = undefined;
      }
      isWoken = false;
    },
  };
}
