import type { OpenTarget } from '#targets/target.ts';
import type { SliceProblem } from '../../export-job.ts';
import type { ActiveSlice } from '../../store/steps/read-active-slice.ts';
import type { CallToAws, Step } from '../../store/steps/record-step.ts';
import type { CrashPoint, OwnedSlot } from '../owned-slot.ts';
import type { SlotOutages } from '../slot-outages.ts';
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
  failed: FailedAttempt,
  point?: CrashPoint,
): Promise<void> {
  const { step, readyInMs } = toFailedStep(active, failed, slot.random);
  await recordAndAnnounce(slot, active, { ...step, keptMs: active.ageMs }, point);
  logFailedSlice(slot, active, failed.problem, readyInMs);
}

/** Makes the step of a failed attempt. `readyInMs` is absent if the slice is not tried again. */
export function toFailedStep(
  active: Pick<ActiveSlice, 'slice' | 'attempt' | 'failures' | 'misses'>,
  { problem, count, pauseMs, attempt, by }: FailedAttempt,
  random: () => number,
): { step: Step; readyInMs: number | undefined } {
  const stored = JSON.stringify(problem);
  const isRetried = pauseMs !== undefined;
  const readyInMs = isRetried ? Math.round(pauseMs * (1 + random() / 4)) : 0;
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
  };
  return { step, readyInMs: isRetried ? readyInMs : undefined };
}

/** Where failed attempts of a target are logged. */
interface FailureLog {
  outages: Pick<SlotOutages, 'slices'>;
  target: Pick<OpenTarget, 'name'>;
}

/**
 * Logs that an attempt failed, and its slice with it, unless it is ready again after `readyInMs`. `others` is
 * how many waiting slices failed with it, `err` the cause.
 */
export function logFailedSlice(
  { outages, target }: FailureLog,
  { jobId, slice, attempt }: Pick<ActiveSlice, 'jobId' | 'slice' | 'attempt'>,
  problem: SliceProblem,
  readyInMs: number | undefined,
  { others = 0, err }: { others?: number; err?: unknown } = {},
): void {
  const { detail } = problem;
  const slug = slugOf(problem);
  const ids = { target: target.name, jobId, slice, attempt };
  const known = { ...ids, problem: slug, detail, readyInMs, ...(others > 0 && { others }) };
  const facts = { ...known, ...(err !== undefined && { err }) };
  // A failed job is no alarm: its caller must act.
  const options = {
    alarmAfterMs: Number.POSITIVE_INFINITY,
    kind: `${jobId} ${slug} ${readyInMs === undefined}`,
  };
  if (readyInMs === undefined) outages.slices.failed(facts, 'slice failed', options);
  else outages.slices.failed(facts, 'attempt of a slice failed, retrying', options);
}
