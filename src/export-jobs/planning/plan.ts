import { awsLimits, inDigits, statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import { inChunks } from '../in-chunks.ts';
import { estimateWindows, type Slicing, windowsOf } from './calendar/slicing.ts';
import { openWallClock } from './calendar/wall-clock.ts';
import { type SliceBy, sliceBys } from './create-export-job.ts';
import type { Window } from './window.ts';

/** One log group × one window, as it enters the queue. */
export interface PlannedSlice extends Window {
  /** 0, 1, 2, … within the job. */
  number: number;
  logGroupName: string;
  /** Until when its log events may still become exportable; null when it need not wait. */
  notBeforeAt: number | null;
  /** From when on it stands in the queue. */
  readyAt: number;
}

/** The slices of a job in the order of their numbers, each made when it is asked for. */
export interface PlannedSlices extends Iterable<PlannedSlice> {
  readonly length: number;
}

const { slicesPerJob } = statedLimits;

// In a time zone a window takes some hundredths of a millisecond to find.
const windowsAtOnce = 100;

/** What is to be cut into slices. */
interface Wish {
  logGroupNames: readonly string[];
  window: Window;
  sliceBy: SliceBy;
  timeZone: string;
  now: number;
  isUnsettledAllowed: boolean;
}

/**
 * Cuts a job into slices: the oldest window first, and in it the log groups in the order given. So
 * whatever is done of a job at any time is its beginning, of all its log groups.
 * @throws Problem too-many-slices
 */
export async function planSlices(wish: Wish): Promise<PlannedSlices> {
  const { logGroupNames, window, sliceBy, timeZone, now, isUnsettledAllowed } = wish;
  const slicing = { sliceBy, clock: openWallClock(timeZone) };
  const windows: Window[] = [];
  for await (const some of inChunks(windowsOf(window, slicing), windowsAtOnce)) {
    windows.push(...some);
    if (windows.length * logGroupNames.length > slicesPerJob) throw tooManySlices(wish, slicing);
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

function tooManySlices({ logGroupNames, window, sliceBy }: Wish, { clock }: Slicing): Problem {
  const windowsBy = (unit: SliceBy) => estimateWindows(window, { sliceBy: unit, clock });
  const countWith = (unit: SliceBy) => windowsBy(unit) * logGroupNames.length;
  const fits = sliceBys.slice(1).find((unit) => countWith(unit) <= slicesPerJob) ?? 'none';
  return new Problem(
    'too-many-slices',
    `The job would have ${inDigits(countWith(sliceBy))} slices (${inDigits(logGroupNames.length)} log groups × ${inDigits(windowsBy(sliceBy))} intervals). The limit is ${inDigits(slicesPerJob)}. With sliceBy "${fits}" it has ${inDigits(countWith(fits))}.`,
  );
}
