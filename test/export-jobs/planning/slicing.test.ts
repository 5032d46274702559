import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type SliceBy, sliceBys } from '#export-jobs/planning/calendar/slice-units.ts';
import { estimateWindows, windowsOf } from '#export-jobs/planning/calendar/split-window.ts';
import { openWallClock } from '#export-jobs/planning/calendar/wall-clock.ts';
import type { Window } from '#time/window.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const maxPieces = 5_000;

// Instants around which calendars go wrong.
const edges = [
  '1970-01-01T00:00:00Z',
  '1973-01-01T00:00:00Z',
  '1999-12-31T23:59:59Z',
  '2000-02-29T00:00:00Z',
  '2023-02-28T00:00:00Z',
  '2024-02-29T00:00:00Z',
  '2024-03-10T07:00:00Z', // New York: forward
  '2024-11-03T06:00:00Z', // New York: back
  '2024-03-31T01:00:00Z', // Berlin: forward
  '2024-10-27T01:00:00Z', // Berlin: back
  '2024-04-06T15:00:00Z', // Lord Howe: back by half an hour
  '2024-10-05T15:30:00Z', // Lord Howe: forward by half an hour
  '2011-12-30T10:00:00Z', // Apia: a day is skipped
  '2006-10-29T02:31:00Z', // St. John's: back over midnight
  '2018-11-04T03:00:00Z', // São Paulo: midnight is skipped
  '2020-12-31T00:00:00Z', // a year of 53 weeks
  '2024-12-30T00:00:00Z', // ISO week 1 of 2025
  '2100-02-28T00:00:00Z', // no leap year
  '2199-12-31T00:00:00Z',
].map(Date.parse);

const near = fc
  .tuple(
    fc.constantFrom(...edges),
    fc.constantFrom(0, hourMs / 2, hourMs, dayMs, 7 * dayMs, 31 * dayMs),
    fc.constantFrom(-1, 0, 1),
    fc.integer({ min: -2, max: 2 }),
  )
  .map(([edge, distance, sign, ms]) => Math.max(0, edge + sign * distance + ms));
const instant = fc.oneof(near, fc.integer({ min: 0, max: Date.UTC(2200, 0) }));
const length = fc.oneof(
  fc.integer({ min: 1, max: 10 }),
  fc.integer({ min: 1, max: 100 * dayMs }),
  fc.integer({ min: 1, max: 50 * 366 * dayMs }),
  fc.constantFrom(hourMs, dayMs, 7 * dayMs, 30 * dayMs, 31 * dayMs, 365 * dayMs),
);
const anyWindow: fc.Arbitrary<Window> = fc.oneof(
  fc.tuple(instant, length).map(([fromAt, ms]) => ({ fromAt, toAt: fromAt + ms })),
  fc
    .tuple(near, near)
    .filter(([one, other]) => one !== other)
    .map(([one, other]) => ({ fromAt: Math.min(one, other), toAt: Math.max(one, other) })),
);

/** The unit of an instant, from its ISO text: an independent oracle. */
const labels: Record<SliceBy, (at: number) => string> = {
  none: () => 'all',
  '15-minutes': (at) => {
    const minute = new Date(at).getUTCMinutes();
    return `${new Date(at).toISOString().slice(0, 13)}:${minute - (minute % 15)}`;
  },
  hour: (at) => new Date(at).toISOString().slice(0, 13),
  day: (at) => new Date(at).toISOString().slice(0, 10),
  month: (at) => new Date(at).toISOString().slice(0, 7),
  week(at) {
    const monday = new Date(at);
    monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7));
    return monday.toISOString().slice(0, 10);
  },
};

function expectTiling(pieces: Window[], window: Window, sliceBy: SliceBy): void {
  expect(pieces[0]?.fromAt).toBe(window.fromAt);
  expect(pieces.at(-1)?.toAt).toBe(window.toAt);
  const label = labels[sliceBy];
  for (const [index, { fromAt, toAt }] of pieces.entries()) {
    const next = pieces[index + 1];
    const isWhole =
      fromAt < toAt &&
      label(fromAt) === label(toAt - 1) &&
      (next === undefined || (next.fromAt === toAt && label(toAt) !== label(toAt - 1)));
    if (!isWhole) expect({ fromAt, toAt, next }).toBe('a piece of one unit, joined to the next');
  }
}

const clock = openWallClock('UTC');
const cut = (window: Window, sliceBy: SliceBy) => [...windowsOf(window, { sliceBy, clock })];
const countWindows = (window: Window, sliceBy: SliceBy) =>
  estimateWindows(window, { sliceBy, clock });

const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

describe.each(sliceBys)('windows sliced by %s', (sliceBy) => {
  test(`make up the window: no gap, no overlap, none empty, split by UTC (seed ${seed})`, () => {
    fc.assert(
      fc.property(anyWindow, (window) => {
        fc.pre(countWindows(window, sliceBy) <= maxPieces);

        const pieces = cut(window, sliceBy);

        expect(pieces).toHaveLength(countWindows(window, sliceBy));
        expectTiling(pieces, window, sliceBy);
      }),
      { seed, numRuns: 300 },
    );
  });

  test(`do not depend on the time zone of the process (seed ${seed})`, () => {
    const windows = fc
      .sample(anyWindow, { seed, numRuns: 300 })
      .filter((window) => countWindows(window, sliceBy) <= 200);
    const cutIn = (timeZone: string) => {
      process.env.TZ = timeZone;
      return windows.map((window) => cut(window, sliceBy));
    };

    const inUtc = cutIn('UTC');

    for (const [timeZone, offsetMinutes] of [
      ['America/New_York', 240],
      ['Europe/Berlin', -120],
      ['Australia/Lord_Howe', -630],
    ] as const) {
      expect(cutIn(timeZone)).toEqual(inUtc);
      expect(new Date('2024-05-01').getTimezoneOffset()).toBe(offsetMinutes); // the time zone is in effect
    }
  });
});

describe('windows', () => {
  test.for([
    ['none', '2024-01-31T10:30:00Z', '2024-03-01T00:00:00Z', ['2024-01-31T10:30']],
    [
      '15-minutes',
      '2024-03-31T00:44:59.999Z',
      '2024-03-31T01:15:00.001Z',
      ['2024-03-31T00:44', '2024-03-31T00:45', '2024-03-31T01:00', '2024-03-31T01:15'],
    ],
    [
      'hour',
      '2024-03-31T00:30:00Z',
      '2024-03-31T02:00:00Z',
      ['2024-03-31T00:30', '2024-03-31T01:00'],
    ],
    [
      'day',
      '2024-02-28T10:00:00Z',
      '2024-03-01T00:00:00.001Z',
      ['2024-02-28T10:00', '2024-02-29T00:00', '2024-03-01T00:00'],
    ],
    [
      'week',
      '2024-12-25T00:00:00Z',
      '2025-01-07T00:00:00Z',
      ['2024-12-25T00:00', '2024-12-30T00:00', '2025-01-06T00:00'],
    ],
    [
      'month',
      '2023-12-31T00:00:00Z',
      '2024-02-29T00:00:00Z',
      ['2023-12-31T00:00', '2024-01-01T00:00', '2024-02-01T00:00'],
    ],
  ] as const)(
    'sliced by %s from %s to %s begin with the calendar',
    ([sliceBy, from, to, starts]) => {
      const pieces = cut({ fromAt: Date.parse(from), toAt: Date.parse(to) }, sliceBy);

      expect(pieces.map(({ fromAt }) => new Date(fromAt).toISOString().slice(0, 16))).toEqual(
        starts,
      );
    },
  );

  test('are estimated without splitting', () => {
    const all = { fromAt: 0, toAt: 2 ** 53 - 1 };

    expect(countWindows(all, 'hour')).toBe(Math.ceil((2 ** 53 - 1) / hourMs));
    expect(countWindows({ fromAt: 0, toAt: Date.UTC(2024, 0) }, 'month')).toBe(54 * 12);
  });
});
