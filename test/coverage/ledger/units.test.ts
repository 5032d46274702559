import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import {
  countUnits,
  longestUnitMs,
  nextStart,
  type PartitionBy,
  partitionBys,
  splitByUnit,
  startOf,
} from '#coverage/ledger/units.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The period of an instant, from its ISO text: an independent oracle. */
const labels: Record<PartitionBy, (at: number) => string> = {
  hour: (at) => new Date(at).toISOString().slice(0, 13),
  day: (at) => new Date(at).toISOString().slice(0, 10),
  month: (at) => new Date(at).toISOString().slice(0, 7),
  week(at) {
    const monday = new Date(at);
    monday.setUTCDate(monday.getUTCDate() - ((monday.getUTCDay() + 6) % 7));
    return monday.toISOString().slice(0, 10);
  },
};

const unit = fc.constantFrom(...partitionBys);
const instant = fc.oneof(
  fc.integer({ min: 0, max: Date.UTC(2200, 0) }),
  fc.integer({ min: 0, max: 2_000 }).map((month) => Date.UTC(1970, month)),
);

describe('the period of an instant', () => {
  test('contains it, and only instants with the same label', () => {
    fc.assert(
      fc.property(unit, instant, (by, at) => {
        const [start, end] = [startOf(at, by), nextStart(at, by)];
        const label = labels[by];

        expect(start).toBeLessThanOrEqual(at);
        expect(end).toBeGreaterThan(at);
        expect([start, end - 1].map(label)).toEqual([label(at), label(at)]);
        expect([start - 1, end].map(label)).not.toContain(label(at));
        expect(end - start).toBeLessThanOrEqual(longestUnitMs[by]);
      }),
    );
  });

  test('is a Monday to the next for a week', () => {
    const thursday = Date.parse('2026-01-01T12:00:00Z');

    expect(new Date(startOf(thursday, 'week')).toISOString()).toBe('2025-12-29T00:00:00.000Z');
    expect(new Date(nextStart(thursday, 'week')).toISOString()).toBe('2026-01-05T00:00:00.000Z');
  });
});

describe('splitByUnit', () => {
  const anyWindow = fc
    .tuple(instant, fc.integer({ min: 0, max: 40 * dayMs }))
    .map(([fromAt, ms]) => ({ fromAt, toAt: fromAt + ms }));

  test('returns the parts of a window, each of one period, as many as countUnits returns', () => {
    fc.assert(
      fc.property(unit, anyWindow, (by, window) => {
        const parts = [...splitByUnit(window, by)];

        let at = window.fromAt;
        for (const { fromAt, toAt } of parts) {
          expect(fromAt).toBe(at);
          expect(labels[by](fromAt)).toBe(labels[by](toAt - 1));
          at = toAt;
        }
        expect(at).toBe(window.toAt);
        expect(new Set(parts.map(({ fromAt }) => labels[by](fromAt))).size).toBe(parts.length);
        expect(countUnits(window, by)).toBe(parts.length);
      }),
    );
  });
});

describe('the time zone of the process', () => {
  const zone = process.env.TZ;

  afterEach(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  // Both days on which New York changes its clocks, with a day on either side.
  const windows = ['2024-03-09', '2024-11-02'].map((day) => {
    const fromAt = Date.parse(`${day}T00:00:00Z`);
    return { fromAt, toAt: fromAt + 3 * dayMs };
  });
  const split = (timeZone: string) => {
    process.env.TZ = timeZone;
    return {
      offset: new Date(2024, 6).getTimezoneOffset(),
      partitions: windows.flatMap((window) =>
        partitionBys.map((by) => [
          startOf(window.fromAt, by),
          nextStart(window.toAt, by),
          ...splitByUnit(window, by),
        ]),
      ),
    };
  };

  test('does not change the partitions', () => {
    const [utc, tokyo, newYork] = ['UTC', 'Asia/Tokyo', 'America/New_York'].map(split);

    expect([utc, tokyo, newYork].map((found) => found?.offset)).toEqual([0, -540, 240]);
    expect(utc?.partitions[0]).toHaveLength(2 + 72);
    expect(tokyo?.partitions).toEqual(utc?.partitions);
    expect(newYork?.partitions).toEqual(utc?.partitions);
  });
});
