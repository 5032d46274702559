import { Type } from '@sinclair/typebox';
import { awsLimits, inWords, statedLimits } from '#problems/limits.ts';
import { hourMs } from '#time/durations.ts';

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
  description: `How to split the time range. Default: \`none\`, no split. The job has one slice for each combination of a log group and an interval: 2 log groups and 24 intervals make 48 slices. Intervals are calendar units of \`timeZone\`. Weeks begin on Monday. The smallest unit is \`15-minutes\`. AWS ends an export task after ${inWords(awsLimits.taskMs)}. So this service cancels a task after ${statedLimits.splitAfterMs / hourMs} hours and splits its slice. Its log events are exported again, so the hours of the cancelled task are wasted. To avoid this, choose a smaller unit.`,
  'x-rule': `one of ${sliceBys.join(', ')}`,
});

/**
 * The times in the default prefix template of a job. They differ for every two periods, so that no two slices
 * of a job write to the same prefix. All units but the finest share one layout, so that a consumer can read
 * the objects of all of them alike.
 */
export function defaultTimesOf(sliceBy: SliceBy): string {
  return sliceBy === '15-minutes' ? '{yyyy}/{MM}/{dd}/{HH}/{mm}' : '{yyyy}/{MM}/{dd}/{HH}';
}
