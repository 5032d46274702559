import { recordStep, type Step, type SteppingSlice } from '../../store/steps/record-step.ts';
import type { CrashPoint, OwnedSlot } from '../owned-slot.ts';

/**
 * Records a step of a slice, then announces the change. A test may end the process at `point`, inside
 * the transaction.
 */
export async function recordAndAnnounce(
  slot: OwnedSlot,
  active: SteppingSlice,
  step: Step,
  point?: CrashPoint,
): Promise<void> {
  const { database, lease, timings, memory, elapsed, reach, onChange } = slot;
  const reachInside = point && (() => reach(point));
  await recordStep(database, lease, timings.leaseMs, active, step, reachInside);
  memory.running = undefined;
  memory.changedAt = elapsed();
  memory.readyAt = Number.NEGATIVE_INFINITY; // the slot may be free, or the slice may wait again
  onChange(active.jobId);
}
