import { Type } from '@sinclair/typebox';

import { awsLimits, inWords } from '#problems/limits.ts';

/**
 * How to split the window of a job: not at all, or by a unit of the calendar, from the finest to the
 * coarsest.
 */
export const sliceBys = ['none', '15-minutes', 'hour', 'day', 'week', 'month'] as const;
export type SliceBy = (typeof sliceBys)[number];
export const SliceBy = Type.Unsafe<SliceBy>({
  title: 'SliceBy',
  type: 'string',
  enum: sliceBys,
  description: `How to split the time range. Default: \`none\`, no split. The job has one slice for each combination of a log group and an interval: 2 log groups and 24 intervals make 48 slices. Intervals are calendar units of \`timeZone\`. Weeks begin on Monday. The smallest unit is \`15-minutes\`. AWS ends an export task after ${inWords(awsLimits.taskMs)}. If the export of an interval takes longer, choose a smaller unit.`,
  'x-rule': `one of ${sliceBys.join(', ')}`,
});

/** A unit of the calendar. Its periods are numbered in the order of local time. */
interface SliceUnit {
  /** The number of the period that contains a local time. */
  periodOf(local: number): number;
  /** The local time at which a period begins. */
  startOf(period: number): number;
  /**
   * The times in the default prefix template. They must differ for every two periods, so that no two
   * slices of a job write to the same prefix.
   */
  defaultTimes: string;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const firstMonday = Date.UTC(1970, 0, 5);

// All units but the finest share one layout, so that a consumer can read the objects of all of them
// alike.
const byHour = { defaultTimes: '{yyyy}/{MM}/{dd}/{HH}' };
const byMinute = { defaultTimes: '{yyyy}/{MM}/{dd}/{HH}/{mm}' };

/**
 * Periods of one length. Every local day has 24 hours; the wall clock knows what its zone skips or
 * repeats.
 */
const everyMs = (lengthMs: number, origin = 0) => ({
  periodOf: (local: number) => Math.floor((local - origin) / lengthMs),
  startOf: (period: number) => origin + period * lengthMs,
});

/** The units by which a window can be split. */
export const sliceUnits: Record<Exclude<SliceBy, 'none'>, SliceUnit> = {
  '15-minutes': { ...everyMs(15 * minuteMs), ...byMinute },
  hour: { ...everyMs(hourMs), ...byHour },
  day: { ...everyMs(24 * hourMs), ...byHour },
  week: { ...everyMs(7 * 24 * hourMs, firstMonday), ...byHour }, // ISO weeks
  month: {
    periodOf(local) {
      const date = new Date(local);
      return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
    },
    startOf: (period) => Date.UTC(1970, period),
    ...byHour,
  },
};

/** The times in the default prefix template of a job. */
export function defaultTimesOf(sliceBy: SliceBy): string {
  return sliceBy === 'none' ? byHour.defaultTimes : sliceUnits[sliceBy].defaultTimes;
}
