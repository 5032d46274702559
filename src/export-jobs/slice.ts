/**
 * The states of a slice. `completed`, `failed` and `cancelled` are ends. Only a retry leaves
 * `failed`.
 */
export const sliceStates = [
  'waiting',
  'starting',
  'running',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
] as const;
export type SliceState = (typeof sliceStates)[number];

/**
 * The valid transitions. `starting` is recorded before AWS is called. So it may return to the queue
 * when nothing was created, or end at once when AWS refuses.
 */
export const transitions: Record<SliceState, readonly SliceState[]> = {
  waiting: ['starting', 'cancelled'],
  starting: ['running', 'waiting', 'failed', 'cancelled'],
  running: ['cancelling', 'completed', 'failed', 'waiting', 'cancelled'],
  cancelling: ['cancelled', 'completed', 'failed'],
  completed: [],
  failed: ['waiting'],
  cancelled: [],
};

/** The states in which a slice holds the slot of its target. */
export const activeStates = ['starting', 'running', 'cancelling'] as const satisfies SliceState[];

/** The number of slices of a job in each state. */
export type SliceCounts = Record<SliceState, number>;

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
  const active = counts.starting + counts.running + counts.cancelling;
  if (active > 0) return isCancelRequested ? 'cancelling' : 'running';
  if (counts.waiting > 0) {
    const ended = counts.completed + counts.failed + counts.cancelled;
    return ended > 0 ? 'running' : 'waiting';
  }
  if (counts.cancelled > 0) return 'cancelled';
  return counts.failed > 0 ? 'failed' : 'completed';
}

/** Whether a job has ended: it changes only by a retry. */
export function hasEnded(state: JobState): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}
