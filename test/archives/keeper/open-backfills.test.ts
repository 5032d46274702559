import fc from 'fast-check';
import { expect, test } from 'vitest';

import { makeOpenBackfills } from '#archives/keeper/log-groups/open-backfills.ts';
import { commonPart } from '#time/window.ts';

const window = fc
  .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 10 }))
  .map(([fromAt, length]) => ({ fromAt, toAt: fromAt + length }));
const backfill = fc.record({
  window,
  logGroupNames: fc.constantFrom<string[] | null>(null, ['a'], ['a', 'b'], ['c']),
  endedAt: fc.constantFrom(null, null, 1),
});
/** Disjoint windows in their order. */
const gaps = fc.array(window, { maxLength: 4 }).map((windows) => {
  let at = -1;
  return windows
    .toSorted((one, other) => one.fromAt - other.fromAt)
    .filter(({ fromAt, toAt }) => {
      if (fromAt < at) return false;
      at = toAt;
      return true;
    });
});

test('a backfill waits if a log group that it names has a gap in its time', () => {
  fc.assert(
    fc.property(
      fc.array(backfill, { maxLength: 6 }),
      fc.array(fc.record({ name: fc.constantFrom('a', 'b', 'd'), gaps }), { maxLength: 5 }),
      (given, logGroups) => {
        const backfills = given.map((each, index) => ({
          ...each.window,
          ...each,
          number: index + 1,
        }));
        const open = makeOpenBackfills(backfills);

        for (const each of logGroups) open.note(each.name, () => each.gaps);

        const expected = backfills.filter(
          ({ endedAt, logGroupNames, window }) =>
            endedAt === null &&
            logGroups.some(
              ({ name, gaps }) =>
                (logGroupNames?.includes(name) ?? true) &&
                gaps.some((gap) => commonPart(gap, window)),
            ),
        );
        expect([...open.waiting].sort((one, other) => one - other)).toEqual(
          expected.map(({ number }) => number),
        );
      },
    ),
  );
});

test('a log group whose gaps are after all backfills costs one look at one backfill', () => {
  let reads = 0;
  const backfills = Array.from({ length: 900 }, (_, number) => ({
    number,
    logGroupNames: null,
    fromAt: number,
    get toAt() {
      reads += 1;
      return number + 1;
    },
    endedAt: null,
  }));
  const open = makeOpenBackfills(backfills);
  reads = 0;

  for (let logGroup = 0; logGroup < 1_000; logGroup += 1)
    open.note(`/app/${logGroup}`, () => [{ fromAt: 900, toAt: Infinity }]);

  expect(reads).toBe(1_000);
  expect([...open.waiting]).toEqual([]);
});

test('a backfill that waits is not looked at again', () => {
  let reads = 0;
  const backfills = Array.from({ length: 900 }, (_, number) => ({
    number,
    logGroupNames: null,
    get fromAt() {
      reads += 1;
      return number;
    },
    toAt: number + 1,
    endedAt: null,
  }));
  const open = makeOpenBackfills(backfills);

  for (let logGroup = 0; logGroup < 1_000; logGroup += 1)
    open.note(`/app/${logGroup}`, () => [{ fromAt: 0, toAt: Infinity }]);

  expect(reads).toBe(900);
  expect(open.waiting.size).toBe(900);
});
