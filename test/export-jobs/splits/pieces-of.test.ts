import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { piecesOf } from '#export-jobs/splits/pieces-of.ts';
import type { Window } from '#time/window.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

const at = (text: string) => Date.parse(text);
const windowOf = (from: string, to: string): Window => ({ fromAt: at(from), toAt: at(to) });
const lengths = (pieces: readonly Window[], unitMs: number) =>
  pieces.map(({ fromAt, toAt }) => (toAt - fromAt) / unitMs);

describe('the pieces of a calendar unit', () => {
  test.each([
    ['a month', '2024-04-01T00:00Z', '2024-05-01T00:00Z', 30, dayMs],
    ['a week over the end of a month', '2024-04-29T00:00Z', '2024-05-06T00:00Z', 7, dayMs],
    ['a day', '2024-04-01T00:00Z', '2024-04-02T00:00Z', 24, hourMs],
    ['an hour', '2024-04-01T10:00Z', '2024-04-01T11:00Z', 4, 15 * minuteMs],
    ['a quarter', '2024-04-01T10:15Z', '2024-04-01T10:30Z', 2, 7.5 * minuteMs],
    ['half a quarter', '2024-04-01T10:15Z', '2024-04-01T10:22:30Z', 2, 3.75 * minuteMs],
    ['two minutes', '2024-04-01T10:15Z', '2024-04-01T10:17Z', 2, minuteMs],
  ])('%s is split into equal ones', (_name, from, to, count, unitMs) => {
    const pieces = piecesOf(windowOf(from, to), 'UTC');

    expect(lengths(pieces, unitMs)).toEqual(Array(count).fill(1));
  });

  test('of a time zone begin with its days and hours', () => {
    // The clocks go forward on 31 March: this month has an hour less, and that day 23.
    const march = windowOf('2024-02-29T23:00Z', '2024-03-31T22:00Z');
    const days = piecesOf(march, 'Europe/Berlin');
    const hours = piecesOf(days.at(-1) as Window, 'Europe/Berlin');

    expect(lengths(days, hourMs)).toEqual([...Array(30).fill(24), 23]);
    expect(lengths(hours, hourMs)).toEqual(Array(23).fill(1));
  });

  test('of a day with 25 hours end with the repeated hour, which is split further', () => {
    const day = windowOf('2024-10-26T22:00Z', '2024-10-27T23:00Z');

    const hours = piecesOf(day, 'Europe/Berlin');
    const repeated = hours.find(({ fromAt, toAt }) => toAt - fromAt === 2 * hourMs) as Window;

    expect(hours).toHaveLength(24);
    expect(lengths(piecesOf(repeated, 'Europe/Berlin'), minuteMs)).toEqual([15, 15, 15, 75]);
  });
});

describe('the pieces of another window', () => {
  test.each([
    ['two months are split by month', '2024-03-20T00:00Z', '2024-05-10T00:00Z', [12, 30, 9], dayMs],
    ['two days are split by day', '2024-04-01T12:00Z', '2024-04-03T12:00Z', [12, 24, 12], hourMs],
    [
      'two hours over midnight by hour',
      '2024-04-01T23:30Z',
      '2024-04-02T01:30Z',
      [0.5, 1, 0.5],
      hourMs,
    ],
  ])('%s', (_name, from, to, expected, unitMs) => {
    expect(lengths(piecesOf(windowOf(from, to), 'UTC'), unitMs)).toEqual(expected);
  });

  test('shorter than a minute join their neighbours', () => {
    const window = windowOf('2024-04-01T09:59:30Z', '2024-04-01T12:00:30Z');

    expect(lengths(piecesOf(window, 'UTC'), minuteMs)).toEqual([60.5, 60.5]);
  });

  test('of less than two minutes do not exist', () => {
    expect(piecesOf(windowOf('2024-04-01T10:00Z', '2024-04-01T10:01:59.999Z'), 'UTC')).toEqual([]);
  });
});

test('the pieces of any window are the window, and none is shorter than a minute', () => {
  const zones = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
  );
  const start = fc.integer({ min: at('2023-01-01T00:00Z'), max: at('2025-01-01T00:00Z') });
  const length = fc.oneof(
    fc.integer({ min: 1, max: 2 * hourMs }),
    fc.integer({ min: 1, max: 90 * dayMs }),
  );
  fc.assert(
    fc.property(zones, start, length, (zone, fromAt, ms) => {
      const window = { fromAt, toAt: fromAt + ms };

      const pieces = piecesOf(window, zone);

      expect(pieces.length > 1).toBe(ms >= 2 * minuteMs);
      if (pieces.length === 0) return;
      expect(pieces[0]?.fromAt).toBe(window.fromAt);
      expect(pieces.at(-1)?.toAt).toBe(window.toAt);
      for (const [index, { fromAt: from, toAt }] of pieces.entries()) {
        expect(toAt - from).toBeGreaterThanOrEqual(minuteMs);
        if (index > 0) expect(from).toBe(pieces[index - 1]?.toAt);
      }
    }),
    { numRuns: 500 },
  );
});
