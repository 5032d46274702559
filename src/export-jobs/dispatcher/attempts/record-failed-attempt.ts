import type { SliceProblem } from '../../export-job.ts';
import type { ActiveSlice } from '../../store/steps/read-active-slice.ts';
import type { CallToAws, Step } from '../../store/steps/record-step.ts';
import type { CrashPoint, OwnedSlot } from '../owned-slot.ts';
import { recordAndAnnounce } from './record-slice-step.ts';
import { slugOf } from './stored-problem.ts';

/** An attempt that used its start and led to no export. */
export interface FailedAttempt {
  problem: SliceProblem;
  /** The counter of the slice that it adds to. */
  count: 'failures' | 'misses';
  /** The pause before the slice is tried again; `undefined` when it is not. */
  pauseMs: number | undefined;
  attempt: Step['attempt'];
  by: CallToAws;
}

/** Puts the slice of a failed attempt back into the queue after a pause, or ends it as failed. */
export async function recordFailedAttempt(
  slot: OwnedSlot,
  active: ActiveSlice,
  { problem, count, pauseMs, attempt, by }: FailedAttempt,
  point?: CrashPoint,
): Promise<void> {
  const stored = JSON.stringify(problem);
  const isRetried = pauseMs !== undefined;
  const readyInMs = isRetried ? Math.round(pauseMs * (1 + slot.random() / 4)) : 0;
  const facts = { slice: active.slice, attempt: active.attempt, problem: slugOf(problem) };
  const step: Step = {
    to: isRetried ? 'waiting' : 'failed',
    slice: {
      [count]: active[count] + 1,
      problem: stored,
      ...(isRetried && { readyInMs }),
    },
    attempt: { ...attempt, problem: stored },
    change: isRetried
      ? { type: 'slice-waiting', ...facts, readyInMs }
      : { type: 'slice-failed', ...facts },
    by,
    keptMs: active.ageMs,
  };
  await recordAndAnnounce(slot, active, step, point);
  logFailedSlice(slot, active, problem, isRetried ? readyInMs : undefined);
}

/**
 * Logs that an attempt failed, and its slice with it, unless it is ready again after `readyInMs`. `others` is
 * how many waiting slices failed with it.
 */
export function logFailedSlice(
  { outages, target }: OwnedSlot,
  { jobId, slice, attempt }: Pick<ActiveSlice, 'jobId' | 'slice' | 'attempt'>,
  problem: SliceProblem,
  readyInMs: number | undefined,
  others = 0,
): void {
  const { detail } = problem;
  const slug = slugOf(problem);
  const ids = { target: target.name, jobId, slice, attempt };
  const facts = { ...ids, problem: slug, detail, readyInMs, ...(others > 0 && { others }) };
  // A failed job is no alarm: its caller must act.
  const options = {
    alarmAfterMs: Number.POSITIVE_INFINITY,
    kind: `${jobId} ${slug} ${readyInMs === undefined}`,
  };
  if (readyInMs === undefined) outages.slices.failed(facts, 'slice failed', options);
  else outages.slices.failed(facts, 'attempt of a slice failed, retrying', options);
}
