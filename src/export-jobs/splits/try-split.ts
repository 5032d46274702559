import { statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import { hourMs } from '#time/durations.ts';
import type { FailedAttempt } from '../dispatcher/attempts/record-failed-attempt.ts';
import { recordAndAnnounce } from '../dispatcher/attempts/record-slice-step.ts';
import { slugOf } from '../dispatcher/attempts/stored-problem.ts';
import type { CrashPoint, OwnedSlot } from '../dispatcher/owned-slot.ts';
import type { RunningSlice } from '../store/steps/read-active-slice.ts';
import { planSplit } from './plan-split.ts';

// From this failed task on a slice is split. Lower: one bad minute of AWS splits slices. Higher: a window that
// AWS cannot export keeps the slot once more.
const splitAtFailure = 2;

/** The end of a task that led to no export. */
type EndedTask = Pick<FailedAttempt, 'problem' | 'attempt' | 'by'>;

/**
 * Whether a running task is to be cancelled, because its slice can be split before AWS ends the task. Not while
 * AWS does not list it.
 */
export async function isToBeSplit(slot: OwnedSlot, active: RunningSlice): Promise<boolean> {
  const isListed = slot.memory.unlisted?.marker !== active.marker;
  if (!isListed || active.ageMs < statedLimits.splitAfterMs) return false;
  return (await planSplit(slot.database, active, { isOutOfTime: true })) !== undefined;
}

/** The problem of a task that was cancelled because its slice is split. */
export const taskTooLong = () =>
  new Problem(
    'export-task-too-long',
    `The task did not complete within ${statedLimits.splitAfterMs / hourMs} hours, so it was cancelled.`,
  );

/**
 * Splits the slice of a task that ended without an export, if shorter windows may help: the task ran out of
 * time, or it is the second one that AWS failed for no cause that we can find. Returns whether it did.
 */
export async function trySplit(
  slot: OwnedSlot,
  active: RunningSlice,
  { problem, attempt, by }: EndedTask,
  { isOutOfTime }: { isOutOfTime: boolean },
): Promise<boolean> {
  const { database, target, log } = slot;
  const { jobId, slice, attempt: number, failures } = active;
  if (active.isCancelRequested || (!isOutOfTime && failures + 1 < splitAtFailure)) return false;
  const split = await planSplit(database, active, { isOutOfTime });
  if (!split || (!isOutOfTime && (await isDestinationAtFault(slot, active)))) return false;
  const children = split.windows.map((_, index) => split.first + index);
  const stored = JSON.stringify(problem);
  const facts = { slice, attempt: number, problem: slugOf(problem) };
  const point: CrashPoint = 'in-split';
  await recordAndAnnounce(
    slot,
    active,
    {
      to: 'split',
      slice: { failures: failures + 1, problem: stored },
      attempt: { ...attempt, problem: stored },
      change: { type: 'slice-split', ...facts, children },
      by,
      keptMs: active.ageMs,
      split,
    },
    point,
  );
  log.info({ target: target.name, jobId, ...facts, children: children.length }, 'split a slice');
  return true;
}

/** Whether AWS cannot write to the bucket any more. Then it fails the tasks of shorter windows, too. */
async function isDestinationAtFault(
  { target, findDestinationRefusal }: OwnedSlot,
  { destination, caller }: RunningSlice,
): Promise<boolean> {
  return (await findDestinationRefusal(target, destination, caller)) !== undefined;
}
