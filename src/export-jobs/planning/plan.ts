import { Problem } from '#problems/problem.ts';
import { type SliceBy, sliceBys } from './create-export-job.ts';
import { countWindows, windowsOf } from './slicing.ts';
import type { Window } from './window.ts';

/** One log group × one window, as it enters the line. */
export interface PlannedSlice extends Window {
  /** 0, 1, 2, … within the job. */
  number: number;
  logGroupName: string;
  /** Until when its log events may still become exportable; null when it need not wait. */
  notBeforeAt: number | null;
  /** From when on it stands in line. */
  readyAt: number;
}

// More, and one job is days of a slot even if each task takes seconds, and one transaction of many
// megabytes.
const mostSlices = 10_000;

/** AWS: "log data can take up to 12 hours to become available for export". */
export const settlingMs = 12 * 3_600_000;

/**
 * Cuts a job into slices: the oldest window first, and in it the log groups in the order given. So
 * whatever is done of a job at any time is its beginning, of all its log groups.
 * @throws Problem too-many-slices
 */
export function planSlices(wish: {
  logGroupNames: readonly string[];
  window: Window;
  sliceBy: SliceBy;
  now: number;
  isUnsettledAllowed: boolean;
}): PlannedSlice[] {
  const { logGroupNames, window, sliceBy, now, isUnsettledAllowed } = wish;
  const countWith = (unit: SliceBy) => countWindows(window, unit) * logGroupNames.length;
  if (countWith(sliceBy) > mostSlices) {
    const fits = sliceBys.slice(1).find((unit) => countWith(unit) <= mostSlices) ?? 'none';
    throw new Problem(
      'too-many-slices',
      `This would be ${countWith(sliceBy)} slices (${logGroupNames.length} log groups × ${countWindows(window, sliceBy)} windows) of at most ${mostSlices}; with sliceBy "${fits}" it is ${countWith(fits)}.`,
    );
  }
  return windowsOf(window, sliceBy)
    .flatMap((piece) => logGroupNames.map((logGroupName) => ({ logGroupName, ...piece })))
    .map((slice, number) => {
      const settledAt = slice.toAt + settlingMs;
      const notBeforeAt = isUnsettledAllowed || settledAt <= now ? null : settledAt;
      return { number, ...slice, notBeforeAt, readyAt: notBeforeAt ?? now };
    });
}
