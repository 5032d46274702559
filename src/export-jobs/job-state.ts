import { begunStates, type SliceCounts } from './slice.ts';

/** The states of a job. They are derived from its slices, never stored. */
export const jobStates = [
  'waiting',
  'running',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
] as const;
export type JobState = (typeof jobStates)[number];

/**
 * Derives the state of a job from the states of its slices and from whether its cancel was requested.
 */
export function jobStateOf(counts: SliceCounts, isCancelRequested: boolean): JobState {
  const begun = begunStates.reduce((sum, state) => sum + counts[state], 0);
  if (begun > 0) return isCancelRequested ? 'cancelling' : 'running';
  if (counts.waiting > 0) {
    const ended = counts.completed + counts.failed + counts.cancelled + counts.split;
    return ended > 0 ? 'running' : 'waiting';
  }
  if (counts.cancelled > 0) return 'cancelled';
  return counts.failed > 0 ? 'failed' : 'completed';
}

/** Whether a job has ended: it changes only by a retry. */
export function hasEnded(state: JobState): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}
