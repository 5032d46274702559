import type { AbortableSleep } from '#time/sleep.ts';

/** Figures from the database: the last ones, and when they were read, by the clock of the metrics. */
export interface Figures<Value> {
  latest(): { value: Value; readAt: number } | undefined;
  /** Reads them again when they are due. Nobody waits for it. */
  refresh(read: () => Promise<Value>): void;
}

// The pause between two readings. Shorter: scrapes cost the database more. Longer: figures are older.
const readIntervalMs = 15_000;

/**
 * Makes figures. A scrape gets the last ones and asks for new ones, so it never waits for the database. Nothing is
 * read without scrapes. The log has the outages of the database.
 */
export function makeFigures<Value>(options: {
  elapsed: () => number;
  sleep: AbortableSleep;
  /** Ends the reading. */
  stop: AbortSignal;
}): Figures<Value> {
  const { elapsed, sleep, stop } = options;
  let figures: { value: Value; readAt: number } | undefined;
  let beganAt = Number.NEGATIVE_INFINITY;
  let isReading = false;

  async function readWhenDue(read: () => Promise<Value>): Promise<void> {
    isReading = true;
    await sleep(Math.max(0, beganAt + readIntervalMs - elapsed()), stop);
    if (stop.aborted) return;
    beganAt = elapsed();
    const value = await read().catch(() => undefined);
    if (value !== undefined) figures = { value, readAt: elapsed() };
    isReading = false;
  }

  return {
    latest: () => figures,
    refresh(read) {
      if (!isReading) void readWhenDue(read);
    },
  };
}
