import { setTimeout as delay } from 'node:timers/promises';

/** Waits for a time in milliseconds, or until the signal aborts. It never rejects. */
export type AbortableSleep = (ms: number, signal: AbortSignal) => Promise<void>;

/** Sleeps in real time. */
export const sleepUntilAborted: AbortableSleep = async (ms, signal) => {
  await delay(ms, undefined, { signal }).catch(() => {});
};
