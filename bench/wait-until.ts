import { setTimeout as delay } from 'node:timers/promises';

import { isShort } from './form.ts';

/**
 * The longest time to wait for anything, in ms. Lower: a busy machine looks like a standstill; in full,
 * some answers take many minutes. Higher: in the short form, the limit of its test comes first.
 */
export const maxWaitMs = isShort ? 900_000 : 3_600_000;

/** What is awaited. */
export interface Awaited<Value> {
  /** Its name in the error. */
  what: string;
  read: () => Promise<Value>;
  isDone: (value: Value) => boolean;
  /** Describes the value that was read last, for the error. */
  describe: (value: Value) => string;
  /** The pause between two reads. It may depend on the time since the first one. */
  pauseMs: (elapsedMs: number) => number;
}

/**
 * Reads a value until it is as awaited, and returns it.
 * @throws an error with what was awaited and what was seen last
 */
export async function waitUntil<Value>(awaited: Awaited<Value>): Promise<Value> {
  const { what, read, isDone, describe, pauseMs } = awaited;
  const beganAt = performance.now();
  for (;;) {
    const value = await read();
    if (isDone(value)) return value;
    const elapsedMs = performance.now() - beganAt;
    if (elapsedMs > maxWaitMs) {
      throw new Error(`Waited ${maxWaitMs / 1_000} s for ${what}. Seen last: ${describe(value)}`);
    }
    await delay(pauseMs(elapsedMs));
  }
}
