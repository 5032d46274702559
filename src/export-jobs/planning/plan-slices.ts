import { inChunks } from '#paging/in-chunks.ts';
import { awsLimits, countOf, inDigits, statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import type { SliceArrival } from '#targets/preflight/checks/slot-checks.ts';
import type { Window } from '#time/window.ts';
import { type SliceBy, sliceBys } from './calendar/slice-units.ts';
import { estimateWindows, type Slicing, windowsOf } from './calendar/split-window.ts';
import { openWallClock } from './calendar/wall-clock.ts';

/** A slice as it enters the queue: one log group and one window. */
export interface PlannedSlice extends Window {
  /** 0, 1, 2, … within the job. */
  number: number;
  logGroupName: string;
  /** Until this instant its log events may be incomplete; null when it does not wait for them. */
  notBeforeAt: number | null;
  /** From this instant on it may start. */
  readyAt: number;
}

/** The slices of a job in the order of their numbers. Each is made only when it is iterated. */
export interface PlannedSlices extends Iterable<PlannedSlice> {
  readonly length: number;
}

const { slicesPerJob } = statedLimits;

// A window in a time zone takes some hundredths of a millisecond. Fewer: a job takes longer. More:
// other requests wait longer.
const windowsAtOnce = 100;

/** What to split into slices. */
interface SlicesRequest {
  logGroupNames: readonly string[];
  window: Window;
  sliceBy: SliceBy;
  timeZone: string;
  now: number;
  isUnsettledAllowed: boolean;
}

/**
 * Splits a job into slices: the oldest window first, and in it the log groups in the given order. So at
 * any time the finished part of a job is its beginning, for all its log groups.
 * @throws Problem too-many-slices
 */
export async function planSlices(request: SlicesRequest): Promise<PlannedSlices> {
  const { logGroupNames, window, sliceBy, timeZone, now, isUnsettledAllowed } = request;
  const slicing = { sliceBy, clock: openWallClock(timeZone) };
  const windows: Window[] = [];
  for await (const chunk of inChunks(windowsOf(window, slicing), windowsAtOnce)) {
    windows.push(...chunk);
    if (windows.length * logGroupNames.length > slicesPerJob) throw tooManySlices(request, slicing);
  }
  return {
    length: windows.length * logGroupNames.length,
    *[Symbol.iterator]() {
      let number = 0;
      for (const { fromAt, toAt } of windows) {
        const settledAt = toAt + awsLimits.settlingMs;
        const notBeforeAt = isUnsettledAllowed || settledAt <= now ? null : settledAt;
        for (const logGroupName of logGroupNames) {
          yield { number, logGroupName, fromAt, toAt, notBeforeAt, readyAt: notBeforeAt ?? now };
          number += 1;
        }
      }
    },
  };
}

/** Returns how many slices may start from which instant on, the earliest first. */
export function arrivalsOf(slices: Iterable<PlannedSlice>): SliceArrival[] {
  const arrivals: SliceArrival[] = [];
  for (const { notBeforeAt } of slices) {
    const at = notBeforeAt ?? 0;
    const last = arrivals.at(-1);
    if (last?.at === at) last.slices += 1;
    else arrivals.push({ at, slices: 1 });
  }
  return arrivals;
}

function tooManySlices(
  { logGroupNames, window, sliceBy }: SlicesRequest,
  { clock }: Slicing,
): Problem {
  const windowsBy = (unit: SliceBy) => estimateWindows(window, { sliceBy: unit, clock });
  const countWith = (unit: SliceBy) => windowsBy(unit) * logGroupNames.length;
  const fits = sliceBys.slice(1).find((unit) => countWith(unit) <= slicesPerJob) ?? 'none';
  return new Problem(
    'too-many-slices',
    `The job would have ${inDigits(countWith(sliceBy))} slices (${countOf(logGroupNames.length, 'log group')} × ${countOf(windowsBy(sliceBy), 'interval')}). The limit is ${inDigits(slicesPerJob)}. With sliceBy "${fits}" it has ${inDigits(countWith(fits))}.`,
  );
}
