import { calendarUnits } from '#time/calendar-units.ts';
import type { Window } from '#time/window.ts';
import type { SliceBy } from './slice-units.ts';
import type { WallClock } from './wall-clock.ts';

/**
 * How to split a window: by which unit, of whose calendar. The pieces together are the window. Each one
 * begins where the one before ends; the first and the last are the part of their unit in the window.
 */
export interface Slicing {
  sliceBy: SliceBy;
  clock: WallClock;
}

/**
 * Estimates into how many windows `windowsOf` splits a window, without splitting it. It compares the
 * local times of both ends. So where a zone skips or repeats time in between, it counts what is skipped
 * and does not count what is repeated.
 */
export function estimateWindows({ fromAt, toAt }: Window, { sliceBy, clock }: Slicing): number {
  if (sliceBy === 'none') return 1;
  const { periodOf } = calendarUnits[sliceBy];
  return periodOf(clock.localOf(toAt - 1)) - periodOf(clock.localOf(fromAt)) + 1;
}

/**
 * Splits a window, lazily. A period begins when the clock shows its beginning for the first time. So a
 * repeated hour is one window of two hours, a skipped day is none, and no two windows begin in the same
 * period of the clock.
 */
export function* windowsOf(window: Window, { sliceBy, clock }: Slicing): Generator<Window> {
  if (sliceBy === 'none') return yield window;
  const { periodOf, startOf } = calendarUnits[sliceBy];
  let { fromAt } = window;
  for (let next = periodOf(clock.localOf(fromAt)) + 1; fromAt < window.toAt; next += 1) {
    const toAt = Math.min(window.toAt, clock.firstAt(startOf(next)));
    if (toAt <= fromAt) continue; // the zone skips this period, or has begun it before
    yield { fromAt, toAt };
    fromAt = toAt;
  }
}
