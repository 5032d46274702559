import type { RunningSlice } from '../../store/steps/read-active-slice.ts';
import type { OwnedSlot, TaskWatch } from '../owned-slot.ts';
import { unknownTask } from './poll-policy.ts';

/** Returns the polls of a task. A task that is new to this process has run since it was submitted. */
export function watchOf({ memory, elapsed }: OwnedSlot, active: RunningSlice): TaskWatch {
  const { marker, state, ageMs } = active;
  const known = memory.watch;
  if (known?.marker === marker && known.state === state) return known;
  // The time that a cancel takes does not depend on the age of the task.
  const since = elapsed() - (state === 'running' ? ageMs : 0);
  const polls = known?.marker === marker ? known.polls : 0;
  memory.watch = {
    marker,
    state,
    since,
    isFromStart: false,
    polls,
    polledAt: 0,
    pollAt: undefined,
  };
  return memory.watch;
}

/** Returns after how many milliseconds to poll; 0 for now. Decides it once for each poll. */
export function pollInMs(
  slot: OwnedSlot,
  { logGroupName }: RunningSlice,
  watch: TaskWatch,
): number {
  const { callSpacing, durations, elapsed, timings } = slot;
  const { secondMs } = timings;
  const freeInMs = callSpacing.freeInMs();
  const ageMs = elapsed() - watch.since;
  if (watch.pollAt === undefined) {
    const policy = watch.state === 'running' ? durations.policyOf(logGroupName) : unknownTask;
    const seconds = policy.nextPollAt({
      polledAt: watch.polledAt / secondMs,
      notBefore: (ageMs + freeInMs) / secondMs,
      savedShare: callSpacing.savedShare(),
      rateShare: callSpacing.rateShare(),
    });
    watch.pollAt = Math.ceil(seconds * secondMs);
  }
  return Math.max(freeInMs, watch.pollAt - ageMs, 0);
}
