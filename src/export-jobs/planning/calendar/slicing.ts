import type { SliceBy } from '../create-export-job.ts';
import type { Window } from '../window.ts';
import type { WallClock } from './wall-clock.ts';

/** A calendar as numbered units of local time: which one it is in, and where one begins. */
interface Calendar {
  unitOf(local: number): number;
  startOf(unit: number): number;
}

const hourMs = 3_600_000;
const firstMonday = Date.UTC(1970, 0, 5);

/** Units of one length. On the wall every day has 24 hours; what a zone skips or repeats, its clock knows. */
const everyMs = (lengthMs: number, origin = 0): Calendar => ({
  unitOf: (local) => Math.floor((local - origin) / lengthMs),
  startOf: (unit) => origin + unit * lengthMs,
});

const calendars: Record<Exclude<SliceBy, 'none'>, Calendar> = {
  hour: everyMs(hourMs),
  day: everyMs(24 * hourMs),
  week: everyMs(7 * 24 * hourMs, firstMonday), // ISO weeks
  month: {
    unitOf(local) {
      const date = new Date(local);
      return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
    },
    startOf: (unit) => Date.UTC(1970, unit),
  },
};

/**
 * How a window is cut: at which unit of whose calendar. The pieces put together are the window: each
 * begins where the one before ends, the first and the last are as much of their unit as the window has.
 */
export interface Slicing {
  sliceBy: SliceBy;
  clock: WallClock;
}

/**
 * Into how many windows `windowsOf` cuts, without cutting: by what the clock shows at both ends, so in
 * a zone that skips a day or repeats an hour there it may be one more or less.
 */
export function estimateWindows({ fromAt, toAt }: Window, { sliceBy, clock }: Slicing): number {
  if (sliceBy === 'none') return 1;
  const { unitOf } = calendars[sliceBy];
  return unitOf(clock.localOf(toAt - 1)) - unitOf(clock.localOf(fromAt)) + 1;
}

/**
 * Cuts a window, lazily. A unit begins when the clock shows its beginning for the first time: so an
 * hour that is repeated is one window of two hours, a day that is skipped is none, and no two windows
 * begin in the same hour of the clock.
 */
export function* windowsOf(window: Window, { sliceBy, clock }: Slicing): Generator<Window> {
  if (sliceBy === 'none') return yield window;
  const { unitOf, startOf } = calendars[sliceBy];
  let { fromAt } = window;
  for (let next = unitOf(clock.localOf(fromAt)) + 1; fromAt < window.toAt; next += 1) {
    const toAt = Math.min(window.toAt, clock.firstAt(startOf(next)));
    if (toAt <= fromAt) continue; // skipped, or begun before it was shown again
    yield { fromAt, toAt };
    fromAt = toAt;
  }
}
