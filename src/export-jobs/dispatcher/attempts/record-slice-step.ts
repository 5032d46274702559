import { attemptEnds } from '#diagnostics/exports.ts';
import { guardSlot } from '../../store/steps/hold-lease.ts';
import type { ActiveSlice } from '../../store/steps/read-active-slice.ts';
import { recordStep, type Step, type SteppingSlice } from '../../store/steps/record-step.ts';
import type { CrashPoint, OwnedSlot } from '../owned-slot.ts';

/** A slice whose step is recorded, the age of its attempt, and the request that created its job. */
type AttemptedSlice = SteppingSlice & Pick<ActiveSlice, 'ageMs' | 'traceParent'>;

/**
 * Records a step of a slice, then announces the change. A test may end the process at `point`, inside
 * the transaction. Returns how many waiting slices ended with it.
 */
export async function recordAndAnnounce(
  slot: OwnedSlot,
  active: AttemptedSlice,
  step: Step,
  point?: CrashPoint,
): Promise<number> {
  const { database, lease, timings, memory, elapsed, reach, onChange } = slot;
  const reachInside = point && (() => reach(point));
  const guard = guardSlot(database, lease, timings.leaseMs);
  const others = await recordStep(database, guard, active, step, reachInside);
  publishEnd(slot, active, step);
  memory.running = undefined;
  memory.changedAt = elapsed();
  memory.readyAt = Number.NEGATIVE_INFINITY; // the slot may be free, or the slice may wait again
  onChange(active.jobId);
  return others;
}

function publishEnd(
  { target, memory }: OwnedSlot,
  { jobId, slice, attempt, marker, traceParent, ageMs }: AttemptedSlice,
  { attempt: row, change }: Step,
): void {
  if (row.outcome === undefined || row.outcome === null || !attemptEnds.hasSubscribers) return;
  attemptEnds.publish({
    target: target.name,
    jobId,
    slice,
    attempt,
    marker,
    traceParent,
    durationMs: ageMs,
    outcome: row.outcome,
    problem: 'problem' in change ? change.problem : undefined,
    taskCreatedAt: row.taskCreatedAt ?? undefined,
    taskCompletedAt: row.taskCompletedAt ?? undefined,
    polls: memory.watch?.marker === marker ? memory.watch.polls : 0,
  });
}
