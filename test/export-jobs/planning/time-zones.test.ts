import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SliceBy, sliceBys } from '#export-jobs/planning/calendar/slice-units.ts';
import { windowsOf } from '#export-jobs/planning/calendar/split-window.ts';
import { isTimeZone, openWallClock } from '#export-jobs/planning/calendar/wall-clock.ts';
import type { Window } from '#time/window.ts';

const seed = Math.floor(Math.random() * 2 ** 31);
const hourMs = 3_600_000;

/** The local time to the millisecond, computed independently: sv-SE writes like ISO 8601. */
const walls = new Map<string, Intl.DateTimeFormat>();
function shownIn(timeZone: string, at: number): string {
  const numeric = Object.fromEntries(
    ['year', 'month', 'day', 'hour', 'minute', 'second'].map((name) => [name, '2-digit']),
  );
  const format =
    walls.get(timeZone) ??
    new Intl.DateTimeFormat('sv-SE', { timeZone, ...numeric, year: 'numeric', hourCycle: 'h23' });
  walls.set(timeZone, format);
  return `${format.format(at).replace(' ', 'T')}.${String(at % 1_000).padStart(3, '0')}`;
}

/** The unit of an instant, from its local time. */
function unitOf(sliceBy: SliceBy, shown: string): string {
  if (sliceBy === 'none') return 'all';
  if (sliceBy === '15-minutes') {
    const quarter = Math.floor(Number(shown.slice(14, 16)) / 15);
    return `${shown.slice(0, 13)} ${quarter}`;
  }
  if (sliceBy !== 'week') return shown.slice(0, { hour: 13, day: 10, month: 7 }[sliceBy]);
  const monday = new Date(`${shown.slice(0, 10)}T00:00:00Z`);
  monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7));
  return monday.toISOString().slice(0, 10);
}

const cut = (window: Window, sliceBy: SliceBy, timeZone: string) => [
  ...windowsOf(window, { sliceBy, clock: openWallClock(timeZone) }),
];
const toWindow = (from: string, to: string) => ({ fromAt: Date.parse(from), toAt: Date.parse(to) });

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'America/Sao_Paulo',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Pacific/Chatham',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Kwajalein',
  'Pacific/Kiritimati',
  'Africa/Monrovia',
  'Africa/Casablanca',
  'Antarctica/Troll',
  'Antarctica/Casey',
  'America/Caracas',
  'Asia/Pyongyang',
  'Asia/Gaza',
];
// Instants of clock changes.
const changes = [
  '1972-01-07T00:44:30Z',
  '1993-08-20T12:00:00Z',
  '1994-12-31T10:00:00Z',
  '2006-10-29T02:31:00Z',
  '2010-03-05T02:00:00Z',
  '2011-12-30T10:00:00Z',
  '2018-11-04T03:00:00Z',
  '2018-05-04T15:00:00Z',
  '2024-03-10T07:00:00Z',
  '2024-03-31T01:00:00Z',
  '2024-04-06T15:00:00Z',
  '2024-10-05T15:30:00Z',
  '2024-10-27T01:00:00Z',
  '2024-11-03T06:00:00Z',
  '2008-08-31T21:00:00Z',
].map(Date.parse);
const instant = fc.oneof(
  fc
    .tuple(fc.constantFrom(...changes), fc.integer({ min: -40 * hourMs, max: 40 * hourMs }))
    .map(([at, ms]) => Math.max(0, at + ms)),
  fc.integer({ min: 0, max: Date.UTC(2200, 0) }),
);
const lengthsMs: Record<SliceBy, number> = {
  none: 1e12,
  '15-minutes': 15 * hourMs,
  hour: 60 * hourMs,
  day: 40 * 24 * hourMs,
  week: 200 * 24 * hourMs,
  month: 900 * 24 * hourMs,
};

describe.each(sliceBys)('windows sliced by %s in any time zone', (sliceBy) => {
  test(`make up the window, and each begins a new period of the local clock (seed ${seed})`, () => {
    const length = fc.integer({ min: 1, max: lengthsMs[sliceBy] });
    const within = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 });
    fc.assert(
      fc.property(
        instant,
        length,
        fc.constantFrom(...zones),
        within,
        (fromAt, ms, zone, places) => {
          const window = { fromAt, toAt: fromAt + ms };
          const unitAt = (at: number) => unitOf(sliceBy, shownIn(zone, at));

          const pieces = cut(window, sliceBy, zone);

          expect([pieces[0]?.fromAt, pieces.at(-1)?.toAt]).toEqual([window.fromAt, window.toAt]);
          for (const [index, piece] of pieces.entries()) {
            expect(piece.toAt).toBeGreaterThan(piece.fromAt);
            if (index === 0) continue;
            const before = pieces[index - 1] as Window;
            expect(piece.fromAt).toBe(before.toAt);
            const unit = unitAt(piece.fromAt);
            expect(unit > unitAt(piece.fromAt - 1)).toBe(true);
            expect(unit > unitAt(before.fromAt)).toBe(true); // no two windows have the same name
            // The rest of a window is time that the clock has shown before.
            for (const place of [...places, 1]) {
              const at = piece.fromAt + Math.floor(place * (piece.toAt - 1 - piece.fromAt));
              expect(unitAt(at) <= unit).toBe(true);
            }
          }
        },
      ),
      { seed, numRuns: 200 },
    );
  });
});

describe('a wall clock', () => {
  test(`shows the time of Intl in every time zone (seed ${seed})`, () => {
    const all = fc.constantFrom(...Intl.supportedValuesOf('timeZone'));
    fc.assert(
      fc.property(all, instant, (zone, at) => {
        const shown = new Date(openWallClock(zone).localOf(at)).toISOString();

        expect(shown).toBe(`${shownIn(zone, at)}Z`);
      }),
      { seed, numRuns: 300 },
    );
  });

  test.for([
    ['what it shows once', 'Europe/Berlin', '2024-05-01T00:00', '2024-04-30T22:00:00.000Z'],
    ['what it skips', 'Europe/Berlin', '2024-03-31T02:30', '2024-03-31T01:00:00.000Z'],
    ['what it shows twice', 'Europe/Berlin', '2024-10-27T02:30', '2024-10-27T00:30:00.000Z'],
    ['midnight of a skipped day', 'Pacific/Apia', '2011-12-30T00:00', '2011-12-30T10:00:00.000Z'],
    ['a second of 1972', 'Africa/Monrovia', '1972-01-07T00:20', '1972-01-07T00:44:30.000Z'],
  ])('finds %s (%s)', ([, zone = '', local, at]) => {
    const found = openWallClock(zone).firstAt(Date.parse(`${local}Z`));

    expect(new Date(found).toISOString()).toBe(at);
  });

  test.for([
    ['Europe/Berlin', true],
    ['UTC', true],
    ['Asia/Kolkata', true],
    ['Etc/GMT+5', true],
    ['+01:00', false],
    ['CEST', false],
    ['Europe/Atlantis', false],
    ['', false],
  ] as const)('of %s exists: %s', ([name, isThere]) => {
    expect(isTimeZone(name)).toBe(isThere);
  });
});

describe('a day of the calendar', () => {
  test.for([
    ['of 23 hours', 'Europe/Berlin', '2024-03-30T23:00Z', '2024-03-31T22:00Z', 23],
    [
      'of 25 hours, one of them shown twice',
      'Europe/Berlin',
      '2024-10-26T22:00Z',
      '2024-10-27T23:00Z',
      24,
    ],
    ['of 24 hours and a half', 'Australia/Lord_Howe', '2024-04-06T13:00Z', '2024-04-07T13:30Z', 24],
    ['that begins at one', 'America/Sao_Paulo', '2018-11-04T03:00Z', '2018-11-05T02:00Z', 23],
  ] as const)(
    '%s is one slice by day, and one slice by hour for each local hour',
    ([, zone, from, to, hours]) => {
      const day = toWindow(from, to);
      const around = { fromAt: day.fromAt - 5 * hourMs, toAt: day.toAt + 5 * hourMs };

      expect(cut(around, 'day', zone)[1]).toEqual(day);
      expect(cut(day, 'hour', zone)).toHaveLength(hours);
    },
  );

  test('that is skipped is no slice', () => {
    const window = toWindow('2011-12-29T10:00Z', '2012-01-01T10:00Z'); // 29 December to 1 January

    const days = cut(window, 'day', 'Pacific/Apia').map(({ fromAt }) =>
      shownIn('Pacific/Apia', fromAt).slice(0, 10),
    );

    expect(days).toEqual(['2011-12-29', '2011-12-31', '2012-01-01']);
  });

  test('that begins twice is one slice from its first beginning on', () => {
    const window = toWindow('2006-10-28T02:30Z', '2006-10-30T03:30Z'); // St. John's, back at 00:01

    const starts = cut(window, 'day', 'America/St_Johns').map(({ fromAt }) =>
      new Date(fromAt).toISOString(),
    );

    expect(starts).toEqual(['2006-10-28T02:30:00.000Z', '2006-10-29T02:30:00.000Z']);
  });
});

describe('quarters of an hour', () => {
  const startsOf = (zone: string, from: string, to: string) =>
    cut(toWindow(from, to), '15-minutes', zone).map(({ fromAt }) =>
      new Date(fromAt).toISOString().slice(11, 19),
    );

  test.for([
    [
      'at full quarters of UTC in Nepal, at an offset of 5:45',
      'Asia/Kathmandu',
      ['2024-05-01T00:05Z', '2024-05-01T00:50Z'],
      ['00:05:00', '00:15:00', '00:30:00', '00:45:00'],
    ],
    [
      'at full quarters of local time, at an offset of 44 minutes and 30 seconds',
      'Africa/Monrovia',
      ['1971-05-01T00:00Z', '1971-05-01T00:45Z'],
      ['00:00:00', '00:14:30', '00:29:30', '00:44:30'],
    ],
    [
      'when they are shown first, if half an hour is repeated (01:30 to 02:00)',
      'Australia/Lord_Howe',
      ['2024-04-06T14:30Z', '2024-04-06T16:00Z'],
      ['14:30:00', '14:45:00', '15:30:00', '15:45:00'],
    ],
    [
      'after the gap, if half an hour is skipped (02:00 to 02:30)',
      'Australia/Lord_Howe',
      ['2024-10-05T15:15Z', '2024-10-05T16:00Z'],
      ['15:15:00', '15:30:00', '15:45:00'],
    ],
    [
      'when they are shown first, if an hour is repeated at a quarter to four',
      'Pacific/Chatham',
      ['2024-04-06T13:30Z', '2024-04-06T15:30Z'],
      ['13:30:00', '13:45:00', '15:00:00', '15:15:00'],
    ],
    [
      'after the gap, if an hour is skipped at a quarter to three',
      'Pacific/Chatham',
      ['2024-09-28T13:45Z', '2024-09-28T14:30Z'],
      ['13:45:00', '14:00:00', '14:15:00'],
    ],
  ] as const)('begin %s', ([, zone, [from, to], starts]) => {
    expect(startsOf(zone, from, to)).toEqual(starts);
  });
});
