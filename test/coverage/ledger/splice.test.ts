import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ChangeOfFacts,
  type LedgerRange,
  type RangeFacts,
  spliceRanges,
} from '#coverage/ledger/splice.ts';
import { applySplice } from './apply-splice.ts';

const covered: RangeFacts = { state: 'covered', isEmpty: 0, again: null, cause: null };
const lost: RangeFacts = { state: 'lost', isEmpty: 0, again: null, cause: 'retention' };

/** Changes of each kind: facts that replace all, facts for what is not known, and facts from facts. */
const change = fc.constantFrom<ChangeOfFacts>(
  () => covered,
  () => ({ ...covered, isEmpty: 1 }),
  () => ({ ...covered, again: 'refresh' }),
  () => null,
  (known) => known ?? lost,
  (known) => known ?? { ...lost, cause: 'log-group-deleted' },
  (known) => (known?.state === 'covered' ? known : { ...lost, state: 'waived', cause: '1' }),
  (known) => (known?.state === 'covered' ? { ...known, again: 'backfill' } : known),
);
const cells = 30;
const changes = fc.array(
  fc.tuple(fc.integer({ min: 0, max: cells - 1 }), fc.integer({ min: 1, max: 12 }), change),
  { maxLength: 40 },
);

/** The ranges that an array with the facts of each instant stands for. */
function toRanges(model: readonly (RangeFacts | null)[]): LedgerRange[] {
  const ranges: LedgerRange[] = [];
  for (const [at, known] of model.entries()) {
    if (!known) continue;
    const last = ranges.at(-1);
    const isNext = last?.toAt === at && JSON.stringify(model[at - 1]) === JSON.stringify(known);
    if (isNext) last.toAt = at + 1;
    else ranges.push({ fromAt: at, toAt: at + 1, ...known });
  }
  return ranges;
}

describe('spliceRanges', () => {
  test('keeps ranges disjoint and merged, as an array with a cell per instant has them', () => {
    fc.assert(
      fc.property(changes, (changes) => {
        const model: (RangeFacts | null)[] = Array(cells + 12).fill(null);
        let ranges: LedgerRange[] = [];
        for (const [fromAt, length, change] of changes) {
          const window = { fromAt, toAt: fromAt + length };
          for (let at = fromAt; at < window.toAt; at += 1) model[at] = change(model[at] ?? null);
          const near = ranges.filter(
            ({ fromAt, toAt }) => toAt >= window.fromAt && fromAt <= window.toAt,
          );

          const splice = spliceRanges(near, window, change);

          ranges = applySplice(ranges, splice);
          expect(ranges).toEqual(toRanges(model));
          const texts = new Set(splice.insert.map((range) => JSON.stringify(range)));
          expect(splice.remove.filter((range) => texts.has(JSON.stringify(range)))).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('returns no change if the window has these facts already', () => {
    const range = { fromAt: 0, toAt: 10, ...covered };

    const splice = spliceRanges([range], { fromAt: 2, toAt: 4 }, () => covered);

    expect(splice).toEqual({ remove: [], insert: [], after: [range] });
  });
});
