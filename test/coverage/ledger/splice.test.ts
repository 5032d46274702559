import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LedgerRange, type RangeFacts, spliceRange } from '#coverage/ledger/splice.ts';
import { applySplice } from './apply-splice.ts';

const facts = fc.constantFrom<RangeFacts | null>(
  { state: 'covered', isEmpty: 0, again: null, cause: null },
  { state: 'covered', isEmpty: 1, again: null, cause: null },
  { state: 'covered', isEmpty: 0, again: 'refresh', cause: null },
  { state: 'lost', isEmpty: 0, again: null, cause: 'retention' },
  { state: 'lost', isEmpty: 0, again: null, cause: 'log-group-deleted' },
  { state: 'waived', isEmpty: 0, again: null, cause: '1' },
  null,
);
const cells = 30;
const puts = fc.array(
  fc.tuple(fc.integer({ min: 0, max: cells - 1 }), fc.integer({ min: 1, max: 10 }), facts),
  { maxLength: 40 },
);

/** The ranges that an array with the facts of each instant stands for. */
function toRanges(model: readonly (RangeFacts | null)[]): LedgerRange[] {
  const ranges: LedgerRange[] = [];
  for (const [at, known] of model.entries()) {
    if (!known) continue;
    const last = ranges.at(-1);
    if (last?.toAt === at && model[at - 1] === known) last.toAt = at + 1;
    else ranges.push({ fromAt: at, toAt: at + 1, ...known });
  }
  return ranges;
}

describe('spliceRange', () => {
  test('keeps ranges disjoint and merged, as an array with a cell per instant has them', () => {
    fc.assert(
      fc.property(puts, (puts) => {
        const model: (RangeFacts | null)[] = Array(cells + 10).fill(null);
        let ranges: LedgerRange[] = [];
        for (const [fromAt, length, known] of puts) {
          const window = { fromAt, toAt: fromAt + length };
          model.fill(known, window.fromAt, window.toAt);

          const splice = spliceRange(ranges, window, known);

          ranges = applySplice(ranges, splice);
          expect(ranges).toEqual(toRanges(model));
          const kept = splice.remove.filter((removed) =>
            splice.insert.some((inserted) => JSON.stringify(inserted) === JSON.stringify(removed)),
          );
          expect(kept).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('returns no change if the window has these facts already', () => {
    const known: RangeFacts = { state: 'covered', isEmpty: 0, again: null, cause: null };

    const splice = spliceRange([{ fromAt: 0, toAt: 10, ...known }], { fromAt: 2, toAt: 4 }, known);

    expect(splice).toEqual({ remove: [], insert: [] });
  });
});
