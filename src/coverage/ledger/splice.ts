import type { ArchiveRangeRow } from '#database/rows/archive-rows.ts';
import type { Window } from '#time/window.ts';

/** What the ledger of an archive knows of a time of a log group. */
export type RangeFacts = Pick<ArchiveRangeRow, 'state' | 'isEmpty' | 'again' | 'cause'>;

/** A range of the ledger. The ranges of a log group are disjoint, and neighbours differ in their facts. */
export interface LedgerRange extends Window, RangeFacts {}

/** How the ranges of a log group change. */
export interface Splice {
  remove: LedgerRange[];
  insert: LedgerRange[];
}

/**
 * Plans how to write facts about a window over the ranges that overlap or touch it: the facts replace what was
 * known of the window, and ranges with equal facts are merged. Null as facts: nothing is known of it any more.
 * Ranges that stay as they are are neither removed nor inserted.
 */
export function spliceRange(
  existing: readonly LedgerRange[],
  window: Window,
  facts: RangeFacts | null,
): Splice {
  const put = facts && { ...facts, ...window };
  const insert: LedgerRange[] = put ? [put] : [];
  const remove: LedgerRange[] = [];
  for (const range of existing) {
    const isOverlap = range.toAt > window.fromAt && range.fromAt < window.toAt;
    const isTouch = range.toAt === window.fromAt || range.fromAt === window.toAt;
    if (put && (isOverlap || isTouch) && isSame(put, range)) {
      if (range.fromAt <= window.fromAt && range.toAt >= window.toAt)
        return { remove: [], insert: [] };
      put.fromAt = Math.min(put.fromAt, range.fromAt);
      put.toAt = Math.max(put.toAt, range.toAt);
      remove.push(range);
    } else if (isOverlap) {
      if (range.fromAt < window.fromAt) insert.push({ ...range, toAt: window.fromAt });
      if (range.toAt > window.toAt) insert.push({ ...range, fromAt: window.toAt });
      remove.push(range);
    }
  }
  return { remove, insert };
}

function isSame(one: RangeFacts, other: RangeFacts): boolean {
  return (
    one.state === other.state &&
    one.isEmpty === other.isEmpty &&
    one.again === other.again &&
    one.cause === other.cause
  );
}
