import { hourMs, minuteMs } from '#time/durations.ts';
import type { Window } from '#time/window.ts';
import { windowsOf } from '../planning/calendar/split-window.ts';
import { openWallClock } from '../planning/calendar/wall-clock.ts';

// No piece is shorter. Shorter: a log group that AWS cannot export costs hundreds of tasks. Longer: more log
// events stay unexported beside the one that AWS fails at.
const leastMs = minuteMs;

/** The units to split by, the coarsest first. Only longer windows are split by a unit. */
const units = [
  { sliceBy: 'month', longerThanMs: 31 * 24 * hourMs },
  { sliceBy: 'day', longerThanMs: 24 * hourMs },
  { sliceBy: 'hour', longerThanMs: hourMs },
  { sliceBy: '15-minutes', longerThanMs: 15 * minuteMs },
] as const;

/**
 * Splits the window of a slice into at least two pieces, by the coarsest unit of the calendar that is shorter:
 * a month or a week into days, a day into hours, an hour into quarters. A window that no unit splits is
 * halved. The pieces together are the window. Returns none if a piece would be shorter than a minute.
 */
export function piecesOf(window: Window, timeZone: string): Window[] {
  const { fromAt, toAt } = window;
  const clock = openWallClock(timeZone);
  for (const { sliceBy, longerThanMs } of units) {
    if (toAt - fromAt <= longerThanMs) continue;
    const pieces = withoutShort([...windowsOf(window, { sliceBy, clock })]);
    if (pieces.length > 1) return pieces;
  }
  const halfMs = Math.floor((toAt - fromAt) / 2 / 1_000) * 1_000;
  if (halfMs < leastMs) return [];
  const middle = fromAt + halfMs;
  return [
    { fromAt, toAt: middle },
    { fromAt: middle, toAt },
  ];
}

/** Joins pieces that are too short with the one before, and a short first one with the next. */
function withoutShort(pieces: readonly Window[]): Window[] {
  const isShort = ({ fromAt, toAt }: Window) => toAt - fromAt < leastMs;
  const joined: Window[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    if (last && (isShort(piece) || isShort(last))) last.toAt = piece.toAt;
    else joined.push({ ...piece });
  }
  return joined;
}
