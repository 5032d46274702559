import { calendarUnits } from '#time/calendar-units.ts';
import { hourMs } from '#time/durations.ts';
import type { Window } from '#time/window.ts';

/** The calendar units of partitions, from the finest to the coarsest. */
export const partitionBys = ['hour', 'day', 'week', 'month'] as const;

/** The unit of the partitions of an archive: always of the calendar of UTC. Weeks begin on Monday. */
export type PartitionBy = (typeof partitionBys)[number];

/** The longest period of each unit, in ms. */
export const longestUnitMs: Record<PartitionBy, number> = {
  hour: hourMs,
  day: 24 * hourMs,
  week: 7 * 24 * hourMs,
  month: 31 * 24 * hourMs,
};

/** The start of the period that contains an instant. */
export function startOf(at: number, by: PartitionBy): number {
  const { periodOf, startOf: startOfPeriod } = calendarUnits[by];
  return startOfPeriod(periodOf(at));
}

/** The end of the period that contains an instant: the start of the next one. */
export function nextStart(at: number, by: PartitionBy): number {
  const { periodOf, startOf: startOfPeriod } = calendarUnits[by];
  return startOfPeriod(periodOf(at) + 1);
}

/** Counts the periods that a window meets, whole or in part. */
export function countUnits({ fromAt, toAt }: Window, by: PartitionBy): number {
  const { periodOf } = calendarUnits[by];
  return fromAt < toAt ? periodOf(toAt - 1) - periodOf(fromAt) + 1 : 0;
}

/**
 * Splits a window at the starts of periods, lazily. The first and the last part can be less than a period.
 */
export function* splitByUnit({ fromAt, toAt }: Window, by: PartitionBy): Generator<Window> {
  for (let at = fromAt; at < toAt; ) {
    const endAt = Math.min(toAt, nextStart(at, by));
    yield { fromAt: at, toAt: endAt };
    at = endAt;
  }
}
