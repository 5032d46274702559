import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dueOf } from '#archives/partitions/due.ts';
import { expiryOf, lastRiskyStart, marginOf } from '#archives/partitions/expiry.ts';
import { gapsOf } from '#archives/partitions/gaps.ts';
import { type PartitionRun, type PartitionWork, runsOf } from '#archives/partitions/runs.ts';
import { indexNames, makeWantedOf, type WantedWindow } from '#archives/partitions/wanted.ts';
import { type LedgerRange, type RangeFacts, spliceRanges } from '#coverage/ledger/splice.ts';
import { nextStart, type PartitionBy, partitionBys, startOf } from '#coverage/ledger/units.ts';
import { commonPart, type Window } from '#time/window.ts';
import { applySplice } from '../../coverage/ledger/apply-splice.ts';

// Each function is compared with a naive one that decides for each hour on its own.
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const epoch = Date.parse('2024-02-20T00:00:00Z'); // a leap day, ends of months and of weeks follow
const hours = 70 * 24;
const at = (hour: number) => epoch + hour * hourMs;
const allHours = Array.from({ length: hours }, (_, hour) => at(hour));
// Whole months: partitions begin before the world and end after it.
const eachHour = Array.from({ length: hours + 62 * 24 }, (_, hour) => at(hour - 31 * 24));
const endless = { fromAt: at(-31 * 24), toAt: Infinity };
const world = { fromAt: at(0), toAt: at(hours) };

// Often the start of a day: there most of what happens is decided.
const anyHour = fc
  .oneof(
    fc.integer({ min: 0, max: hours - 1 }),
    fc.integer({ min: 0, max: hours / 24 - 1 }).map((day) => day * 24),
  )
  .map(at);
const unit = fc.constantFrom(...partitionBys);
const order = fc.constantFrom('oldest' as const, 'newest' as const);

const knownFacts = fc.constantFrom<RangeFacts>(
  { state: 'covered', isEmpty: 0, again: null, cause: null },
  { state: 'covered', isEmpty: 1, again: null, cause: null },
  { state: 'covered', isEmpty: 0, again: 'refresh', cause: null },
  { state: 'lost', isEmpty: 0, again: null, cause: 'retention' },
  { state: 'waived', isEmpty: 0, again: null, cause: '7' },
);

interface Known {
  fromAt: number;
  hours: number;
  facts: RangeFacts;
}
const anyKnown: fc.Arbitrary<Known[]> = fc.array(
  fc.record({
    fromAt: anyHour,
    hours: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 300 })),
    facts: knownFacts,
  }),
  { maxLength: 12 },
);

function toLedger(known: readonly Known[]): LedgerRange[] {
  let ranges: LedgerRange[] = [];
  for (const { fromAt, hours, facts } of known) {
    const window = { fromAt, toAt: fromAt + hours * hourMs };
    ranges = applySplice(
      ranges,
      spliceRanges(ranges, window, () => facts),
    );
  }
  return ranges;
}

const anyWanted = unit.chain((partitionBy) => {
  const boundary = anyHour.map((hour) => startOf(hour, partitionBy));
  const backfill = fc
    .tuple(boundary, boundary, order, fc.constantFrom<string[] | null>(null, ['app'], ['other']))
    .filter(([one, other]) => one !== other)
    .map(([one, other, order, logGroupNames]) => ({
      fromAt: Math.min(one, other),
      toAt: Math.max(one, other),
      order,
      logGroupNames,
    }));
  return fc.record({
    archive: fc.record({
      partitionBy: fc.constant(partitionBy),
      fromAt: boundary,
      toAt: fc.option(boundary),
    }),
    logGroup: fc.record({
      logGroupName: fc.constant('app'),
      createdAt: anyHour,
      goneAt: fc.option(anyHour),
    }),
    backfills: fc.array(backfill, { maxLength: 4 }),
  });
});

const contains = ({ fromAt, toAt }: { fromAt: number; toAt: number }, hour: number) =>
  fromAt <= hour && hour < toAt;

type AnyWanted = typeof anyWanted extends fc.Arbitrary<infer T> ? T : never;

/** The order of the backfill for an hour, null without one, or undefined if the hour is not wanted. */
function orderOf(
  { archive, logGroup, backfills }: AnyWanted,
  hour: number,
): WantedWindow['order'] | undefined {
  if (hour < startOf(logGroup.createdAt, archive.partitionBy)) return undefined;
  if (logGroup.goneAt !== null && hour >= logGroup.goneAt) return undefined;
  const backfill = backfills.findLast(
    ({ logGroupNames, ...window }) =>
      contains(window, hour) && (logGroupNames === null || logGroupNames.includes('app')),
  );
  if (backfill) return backfill.order;
  const { fromAt, toAt } = archive;
  return hour >= fromAt && hour < (toAt ?? Infinity) ? null : undefined;
}

describe('makeWantedOf', () => {
  test('returns disjoint windows of what is wanted, with the order of the latest backfill', () => {
    fc.assert(
      fc.property(anyWanted, (given) => {
        const windows = makeWantedOf(given.archive, given.backfills)(given.logGroup);

        for (const hour of allHours) {
          const found = windows.filter((window) => contains(window, hour));
          const expected = orderOf(given, hour);
          expect(found.map(({ order }) => order)).toEqual(expected === undefined ? [] : [expected]);
        }
        for (const [index, window] of windows.entries()) {
          const next = windows[index + 1];
          expect(window.fromAt).toBeLessThan(window.toAt);
          expect(next === undefined || next.fromAt >= window.toAt).toBe(true);
          expect(next?.fromAt === window.toAt && next.order === window.order).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('has no end for an archive without one', () => {
    const logGroup = { logGroupName: 'app', createdAt: at(30), goneAt: null };

    const windows = makeWantedOf({ partitionBy: 'day', fromAt: at(0), toAt: null }, [])(logGroup);

    expect(windows).toEqual([{ fromAt: at(24), toAt: Infinity, order: null }]);
  });

  test('reads each backfill once for all log groups that the same backfills name', () => {
    let reads = 0;
    const backfills = Array.from({ length: 900 }, (_, number) => ({
      logGroupNames: number % 2 === 0 ? null : ['app', 'api'],
      get fromAt() {
        reads += 1;
        return at(number);
      },
      toAt: at(number + 2),
      order: 'oldest' as const,
    }));
    const archive = { partitionBy: 'hour', fromAt: at(900), toAt: null } as const;
    const wantedOf = makeWantedOf(archive, backfills);
    const names = ['app', 'api', ...Array.from({ length: 100 }, (_, number) => `other-${number}`)];

    const windows = names.map((logGroupName) =>
      wantedOf({ logGroupName, createdAt: 0, goneAt: null }),
    );

    expect(reads).toBe(900 + 450); // those of all log groups twice: with and without the others
    expect(windows[0]).toEqual([
      { fromAt: at(0), toAt: at(901), order: 'oldest' },
      { fromAt: at(901), toAt: Infinity, order: null },
    ]);
    expect(windows.at(-1)).toBe(windows[2]);
  });

  test('keeps the merged backfills of few sets of log groups, the latest, and those of all log groups', () => {
    const count = 200;
    const backfills = Array.from({ length: count }, (_, number) => ({
      logGroupNames: number % 2 === 0 ? null : [`app-${number}`],
      fromAt: at(number),
      toAt: at(number + 1),
      order: 'oldest' as const,
    }));
    const archive = { partitionBy: 'hour', fromAt: at(count), toAt: null } as const;
    const wantedOf = makeWantedOf(archive, backfills);
    const read = (logGroupName: string) => wantedOf({ logGroupName, createdAt: 0, goneAt: null });
    const names = Array.from({ length: count }, (_, number) => `app-${number}`);

    const first = names.map(read);

    expect(read('app-199')).toBe(first[199]);
    expect(read('app-2')).toBe(first[0]);
    expect(read('app-1')).toEqual(first[1]);
    expect(read('app-1')).not.toBe(first[1]);
  });

  test('needs only the names of the log groups that it is asked for', () => {
    const window = { fromAt: at(0), toAt: at(24), order: 'newest' } as const;
    const backfills = [
      { ...window, logGroupNames: ['app', 'other'] },
      { ...window, logGroupNames: ['other'] },
    ];
    const archive = { partitionBy: 'day', fromAt: at(24), toAt: null } as const;

    const naming = indexNames(backfills, new Set(['app']));
    const windows = makeWantedOf(
      archive,
      backfills,
      naming,
    )({ logGroupName: 'app', createdAt: 0, goneAt: null });

    expect([...naming]).toEqual([['app', [0]]]);
    expect(windows).toEqual([window, { fromAt: at(24), toAt: Infinity, order: null }]);
  });
});

describe('gapsOf', () => {
  test('yields the wanted hours that are in no range', () => {
    fc.assert(
      fc.property(anyWanted, anyKnown, (given, known) => {
        const ranges = toLedger(known);
        const wanted = makeWantedOf(given.archive, given.backfills)(given.logGroup);

        const gaps = [...gapsOf(wanted, ranges, world)];

        for (const hour of allHours) {
          const isKnown = ranges.some((range) => contains(range, hour));
          const expected = isKnown ? undefined : orderOf(given, hour);
          const found = gaps.filter((gap) => contains(gap, hour)).map(({ order }) => order);
          expect(found).toEqual(expected === undefined ? [] : [expected]);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('marginOf', () => {
  test.each<[PartitionBy, number, number]>([
    ['day', 3, 18], // half of 72 − 24 − 12 hours
    ['day', 7, 24],
    ['day', 30, 72],
    ['hour', 1, 5.5],
    ['month', 60, 144],
    ['day', 1, 24], // log events expire before the partition is due
  ])('of the unit %s and %i days of retention is %f hours', (by, retentionDays, expected) => {
    expect(marginOf(by, retentionDays) / hourMs).toBe(expected);
  });
});

describe('runsOf', () => {
  const anyRetention = fc.constantFrom(null, 1, 3, 7, 14, 30, 60);
  const anyIncarnation = fc.record({
    given: anyWanted,
    known: anyKnown,
    now: fc.tuple(anyHour, fc.constantFrom(0, 0, 1, hourMs - 1)).map(([hour, ms]) => hour + ms),
    retentionDays: anyRetention,
    catchUpDays: fc.constantFrom(null, null, 2, 10),
    endedAt: fc.oneof({ arbitrary: fc.constant(null), weight: 4 }, anyHour),
    work: fc.array(
      fc.record({
        hour: anyHour,
        state: fc.constantFrom('queued' as const, 'missing' as const),
        isRunning: fc.boolean(),
        isWhole: fc.boolean(),
        problem: fc.constantFrom(null, '{"type":"a"}', '{"type":"b"}'),
      }),
      { maxLength: 20 },
    ),
  });

  type AnyIncarnation = typeof anyIncarnation extends fc.Arbitrary<infer T> ? T : never;

  /** The naive states: of each hour on its own, by the partition that contains it. */
  function makeModel({
    given,
    known,
    now,
    retentionDays,
    catchUpDays,
    endedAt,
    work,
  }: AnyIncarnation) {
    const { partitionBy } = given.archive;
    const ranges = toLedger(known);
    const endAt = endedAt === null ? nextStart(now, partitionBy) : startOf(endedAt, partitionBy);
    const orders = new Map<number, WantedWindow['order']>();
    for (const hour of eachHour) {
      const order = orderOf(given, hour);
      const isKnown = ranges.some((range) => contains(range, hour));
      if (order !== undefined && !isKnown) orders.set(hour, order);
    }
    /** The partition of an hour: what is left of its period, without a gap. */
    function partitionOf(hour: number) {
      const isOfIt = (other: number) =>
        orders.get(other) === orders.get(hour) &&
        orders.has(other) &&
        startOf(other, partitionBy) === startOf(hour, partitionBy);
      let [fromAt, toAt] = [hour, hour + hourMs];
      while (isOfIt(fromAt - hourMs)) fromAt -= hourMs;
      while (isOfIt(toAt)) toAt += hourMs;
      return { fromAt, toAt };
    }
    const rows: PartitionWork[] = [];
    for (const { hour, state, isRunning, isWhole, problem } of work) {
      if (!orders.has(hour) || hour >= endAt) continue;
      // Since it entered the queue, a part of its period may have become known.
      const partition = isWhole
        ? { fromAt: startOf(hour, partitionBy), toAt: nextStart(hour, partitionBy) }
        : partitionOf(hour);
      if (rows.some((row) => commonPart(row, partition))) continue;
      const jobId = state === 'queued' ? `job-${hour}` : null;
      rows.push({ ...partition, state, isRunning, problem, jobId, retryAt: null });
    }
    rows.sort((one, other) => one.fromAt - other.fromAt);

    function stateAt(hour: number): string | undefined {
      const range = ranges.find((range) => contains(range, hour));
      if (range) return `${range.state} ${range.isEmpty} ${range.again} ${range.cause}`;
      if (!orders.has(hour) || hour >= endAt) return undefined;
      const partition = partitionOf(hour);
      const row = rows.find((row) => contains(row, hour));
      // In the queue, the problem of the last failure is not shown.
      const problem = row?.state === 'missing' ? row.problem : null;
      const tail = ` ${row?.jobId ?? null} ${problem}`;
      if (row?.state === 'queued' && row.isRunning) return `running${tail}`;
      // A part of a unit, too, is due and left behind with its unit.
      const unitEnd = nextStart(hour, partitionBy);
      const isOpen = now < unitEnd + 12 * hourMs;
      const isLeft =
        catchUpDays !== null && orders.get(hour) === null && unitEnd <= now - catchUpDays * dayMs;
      const isAtRisk =
        endedAt === null &&
        retentionDays !== null &&
        now >= expiryOf(partition, retentionDays) - marginOf(partitionBy, retentionDays);
      if (endedAt !== null && !row) return `missing${tail}`;
      if (!row && isLeft) return `missing${tail}`;
      if (isAtRisk) return `atRisk${tail}`;
      if (row) return `${row.state === 'queued' ? 'waiting' : 'missing'}${tail}`;
      return `${isOpen ? 'open' : 'waiting'}${tail}`;
    }
    return { ranges, rows, stateAt };
  }

  function describeRun(run: PartitionRun): string {
    const { state, isEmpty, isFinal, cause, jobId, problem } = run;
    if (state === 'covered') return `covered ${isEmpty ? 1 : 0} ${isFinal ? null : 'refresh'} null`;
    if (state === 'lost' || state === 'waived') return `${state} 0 null ${cause}`;
    return `${state} ${jobId ?? null} ${problem ?? null}`;
  }

  test('yields the state of each hour as the longest runs, in any window', () => {
    fc.assert(
      fc.property(
        anyIncarnation,
        anyHour,
        fc.integer({ min: 1, max: hours }),
        (facts, from, length) => {
          const { given, now, retentionDays, catchUpDays, endedAt } = facts;
          const { ranges, rows, stateAt } = makeModel(facts);
          const wanted = makeWantedOf(given.archive, given.backfills)(given.logGroup);
          const window = { fromAt: from, toAt: Math.min(world.toAt, from + length * hourMs) };
          const { partitionBy } = given.archive;

          const runs = [
            ...runsOf(
              { partitionBy, retentionDays, catchUpDays, endedAt, now, wanted, ranges, work: rows },
              window,
            ),
          ];

          for (const hour of allHours.filter((hour) => contains(window, hour))) {
            const found = runs.filter((run) => contains(run, hour)).map(describeRun);
            const expected = stateAt(hour);
            expect(found, new Date(hour).toISOString()).toEqual(
              expected === undefined ? [] : [expected],
            );
          }
          for (const [index, run] of runs.entries()) {
            const next = runs[index + 1];
            expect(run.fromAt).toBeLessThan(run.toAt);
            expect(run.fromAt).toBeGreaterThanOrEqual(window.fromAt);
            expect(run.toAt).toBeLessThanOrEqual(window.toAt);
            if (next?.fromAt === run.toAt) expect(describeRun(next)).not.toBe(describeRun(run));
            expect(next === undefined || next.fromAt >= run.toAt).toBe(true);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test('yields as waiting exactly what the queue takes, also of units that are wanted in part', () => {
    fc.assert(
      fc.property(anyIncarnation, fc.option(anyHour), ({ given, known, ...facts }, toAt) => {
        const { now, catchUpDays } = facts;
        const { partitionBy } = given.archive;
        const logGroup = { ...given.logGroup, goneAt: null };
        const wanted = makeWantedOf({ ...given.archive, toAt }, given.backfills)(logGroup);
        const ranges = toLedger(known);
        const time = { partitionBy, retentionDays: null, catchUpDays, now, wanted };
        const group = { logGroupName: 'app', incarnation: 1, goneAt: null };

        const due = dueOf({ ...time, ...group, taken: ranges, openFrom: -Infinity }, Infinity);

        const runs = runsOf({ ...time, endedAt: null, ranges, work: [] }, endless);
        const waiting = [...runs].filter(({ state }) => state === 'waiting');
        const hoursOf = (windows: readonly Window[]) =>
          windows.flatMap((window) => eachHour.filter((hour) => contains(window, hour)));
        expect(hoursOf(due)).toEqual(hoursOf(waiting));
      }),
      { numRuns: 100 },
    );
  });

  test('yields the first runs without looking at the rest', () => {
    const facts = {
      partitionBy: 'hour' as const,
      retentionDays: null,
      catchUpDays: null,
      endedAt: null,
      now: at(0),
      wanted: [{ fromAt: 0, toAt: Infinity, order: null }],
      ranges: [],
      work: [],
    };

    const [first] = runsOf(facts, { fromAt: 0, toAt: at(0) });

    expect(first).toEqual({ fromAt: 0, toAt: at(-12), state: 'waiting' });
  });

  test('returns a partition as at risk from the margin before its expiry on', () => {
    const facts = {
      partitionBy: 'day' as const,
      retentionDays: 7,
      catchUpDays: null,
      endedAt: null,
      now: at(10 * 24),
      wanted: [{ fromAt: at(4 * 24), toAt: Infinity, order: null }],
      ranges: [],
      work: [
        {
          fromAt: at(5 * 24),
          toAt: at(6 * 24),
          state: 'missing' as const,
          jobId: null,
          isRunning: false,
          problem: '{}',
          retryAt: at(250),
        },
      ],
    };

    const runs = [...runsOf(facts, world)];

    expect(lastRiskyStart(facts, facts.now)).toBe(at(4 * 24));
    expect(runs).toEqual([
      { fromAt: at(96), toAt: at(120), state: 'atRisk' },
      { fromAt: at(120), toAt: at(144), state: 'missing', problem: '{}', retryAt: at(250) },
      { fromAt: at(144), toAt: at(216), state: 'waiting' },
      { fromAt: at(216), toAt: at(264), state: 'open' },
    ]);
  });
});
