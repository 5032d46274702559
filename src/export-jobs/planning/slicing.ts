import type { SliceBy } from './create-export-job.ts';
import type { Window } from './window.ts';

/** A calendar as numbered units: which one an instant lies in, and where one begins. */
interface Calendar {
  unitOf(at: number): number;
  startOf(unit: number): number;
}

const hourMs = 3_600_000;
const firstMonday = Date.UTC(1970, 0, 5);

/** Units of one length. UTC has no days of 23 or 25 hours, and epoch ms no leap seconds. */
const everyMs = (lengthMs: number, origin = 0): Calendar => ({
  unitOf: (at) => Math.floor((at - origin) / lengthMs),
  startOf: (unit) => origin + unit * lengthMs,
});

const calendars: Record<SliceBy, Calendar> = {
  none: { unitOf: () => 0, startOf: (unit) => (unit === 0 ? -Infinity : Infinity) },
  hour: everyMs(hourMs),
  day: everyMs(24 * hourMs),
  week: everyMs(7 * 24 * hourMs, firstMonday), // ISO weeks
  month: {
    unitOf(at) {
      const date = new Date(at);
      return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
    },
    startOf: (unit) => Date.UTC(1970, unit),
  },
};

/** Into how many windows `windowsOf` cuts, without cutting. */
export function countWindows({ fromAt, toAt }: Window, sliceBy: SliceBy): number {
  const { unitOf } = calendars[sliceBy];
  return unitOf(toAt - 1) - unitOf(fromAt) + 1;
}

/**
 * Cuts a window at the calendar of UTC. Put together the pieces are the window: each begins where
 * the one before ends, the first and the last are as much of their unit as the window has.
 */
export function windowsOf(window: Window, sliceBy: SliceBy): Window[] {
  const { unitOf, startOf } = calendars[sliceBy];
  const first = unitOf(window.fromAt);
  return Array.from({ length: countWindows(window, sliceBy) }, (_, index) => ({
    fromAt: Math.max(window.fromAt, startOf(first + index)),
    toAt: Math.min(window.toAt, startOf(first + index + 1)),
  }));
}
