import { isDeepStrictEqual } from 'node:util';

import type { LedgerRange, Splice } from '#coverage/ledger/splice.ts';

/** Applies a splice to the ranges of a log group. Each removed range must be one of them. */
export function applySplice(
  ranges: readonly LedgerRange[],
  { remove, insert }: Splice,
): LedgerRange[] {
  const kept = ranges.filter((range) => !remove.some((gone) => isDeepStrictEqual(gone, range)));
  if (kept.length !== ranges.length - remove.length) throw new Error('a removed range is missing');
  return [...kept, ...insert].sort((one, other) => one.fromAt - other.fromAt);
}
