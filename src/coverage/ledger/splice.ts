import type { ArchiveRangeRow } from '#database/rows/archive-rows.ts';
import { commonPart, partsOutside, type Window } from '#time/window.ts';

/** What the ledger of an archive knows of a time of a log group. */
export type RangeFacts = Pick<ArchiveRangeRow, 'state' | 'isEmpty' | 'again' | 'cause'>;

/** A range of the ledger. The ranges of a log group are disjoint, and neighbours differ in their facts. */
export interface LedgerRange extends Window, RangeFacts {}

/** Decides what is known of a part of a window from now on, from what was known. Null: nothing. */
export type ChangeOfFacts = (known: RangeFacts | null) => RangeFacts | null;

/** How the ranges of a log group change. */
export interface Splice {
  remove: LedgerRange[];
  insert: LedgerRange[];
  /** The ranges that overlap or touch the window afterwards, in the order of time. */
  after: LedgerRange[];
}

/**
 * Plans how to change what is known of a window. `existing` are the ranges that overlap or touch it, in the
 * order of time. Each of them, as far as it is in the window, and each gap between them is changed on its own.
 * Then neighbours with equal facts are merged. Ranges that stay as they are are neither removed nor inserted.
 */
export function spliceRanges(
  existing: readonly LedgerRange[],
  window: Window,
  change: ChangeOfFacts,
): Splice {
  const pieces: LedgerRange[] = [];
  const keep = (part: Window, facts: RangeFacts | null) => {
    if (facts) pieces.push({ ...facts, ...part });
  };
  for (const { fromAt, toAt, ...known } of existing) {
    const part = commonPart({ fromAt, toAt }, window);
    for (const outside of partsOutside({ fromAt, toAt }, part ? [part] : [])) keep(outside, known);
    if (part) keep(part, change(known));
  }
  for (const gap of partsOutside(window, existing)) keep(gap, change(null));
  const after = mergeNeighbours(pieces);
  return { remove: without(existing, after), insert: without(after, existing), after };
}

function mergeNeighbours(pieces: LedgerRange[]): LedgerRange[] {
  const merged: LedgerRange[] = [];
  for (const piece of pieces.sort((one, other) => one.fromAt - other.fromAt)) {
    const last = merged.at(-1);
    if (last?.toAt === piece.fromAt && isSame(last, piece)) last.toAt = piece.toAt;
    else merged.push(piece);
  }
  return merged;
}

/** The ranges that are not among others. Both are disjoint. */
function without(ranges: readonly LedgerRange[], others: readonly LedgerRange[]): LedgerRange[] {
  const byStart = new Map(others.map((other) => [other.fromAt, other]));
  return ranges.filter((range) => {
    const other = byStart.get(range.fromAt);
    return !(other?.toAt === range.toAt && isSame(range, other));
  });
}

function isSame(one: RangeFacts, other: RangeFacts): boolean {
  return (
    one.state === other.state &&
    one.isEmpty === other.isEmpty &&
    one.again === other.again &&
    one.cause === other.cause
  );
}
