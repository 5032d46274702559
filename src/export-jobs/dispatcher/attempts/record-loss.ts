import type { SliceProblem } from '../../export-job.ts';
import type { ActiveSlice } from '../../store/steps/read-active-slice.ts';
import type { CallToAws, Step } from '../../store/steps/record-step.ts';
import { type CrashPoint, type OwnedSlot, record, slugOf } from '../slot.ts';

/** An attempt that took its turn and led to no export. */
export interface Loss {
  problem: SliceProblem;
  /** The count of the slice that it belongs to. */
  count: 'failures' | 'misses';
  /** After which pause the slice is tried again; not at all when absent. */
  pauseMs: number | undefined;
  attempt: Step['attempt'];
  by: CallToAws;
}

/** Puts the slice back into the queue after a pause, or ends it failed. */
export async function recordLoss(
  slot: OwnedSlot,
  active: ActiveSlice,
  { problem, count, pauseMs, attempt, by }: Loss,
  point?: CrashPoint,
): Promise<void> {
  const stored = JSON.stringify(problem);
  const isTriedAgain = pauseMs !== undefined;
  const readyInMs = isTriedAgain ? Math.round(pauseMs * (1 + slot.random() / 4)) : 0;
  const told = { slice: active.slice, attempt: active.attempt, problem: slugOf(problem) };
  const step: Step = {
    to: isTriedAgain ? 'waiting' : 'failed',
    slice: {
      [count]: active[count] + 1,
      problem: stored,
      ...(isTriedAgain && { readyInMs }),
    },
    attempt: { ...attempt, problem: stored },
    change: isTriedAgain
      ? { type: 'slice-waiting', ...told, readyInMs }
      : { type: 'slice-failed', ...told },
    by,
    keptMs: active.ageMs,
  };
  await record(slot, active, step, point);
}
