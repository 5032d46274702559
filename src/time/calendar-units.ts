import { hourMs, minuteMs } from './durations.ts';

/** A unit of the calendar. Its periods are numbered in the order of local time. */
interface CalendarUnit {
  /** The number of the period that contains a local time. */
  periodOf(local: number): number;
  /** The local time at which a period begins. */
  startOf(period: number): number;
}

const firstMonday = Date.UTC(1970, 0, 5);

/**
 * Periods of one length. Every local day has 24 hours; the wall clock knows what its zone skips or
 * repeats.
 */
const everyMs = (lengthMs: number, origin = 0): CalendarUnit => ({
  periodOf: (local) => Math.floor((local - origin) / lengthMs),
  startOf: (period) => origin + period * lengthMs,
});

/** The units of the calendar that split windows, from the finest to the coarsest. */
export const calendarUnits = {
  '15-minutes': everyMs(15 * minuteMs),
  hour: everyMs(hourMs),
  day: everyMs(24 * hourMs),
  week: everyMs(7 * 24 * hourMs, firstMonday), // ISO weeks
  month: {
    periodOf(local) {
      const date = new Date(local);
      return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
    },
    startOf: (period) => Date.UTC(1970, period),
  },
} as const satisfies Record<string, CalendarUnit>;
