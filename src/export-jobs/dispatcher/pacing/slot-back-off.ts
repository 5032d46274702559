import { type BackOffLimits, backOffMs } from '#time/back-off.ts';

/** The pauses after failures of a slot. */
export const slotPauses: BackOffLimits = { firstMs: 1_000, maxMs: 60_000 };

/** Exponential back-off with jitter: 1 s plus a random part of a pause that doubles up to 60 s. */
export function jitteredBackOffMs(failures: number, random: () => number): number {
  return 1_000 + random() * backOffMs(failures, slotPauses);
}
