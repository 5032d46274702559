/** The states of a slice. `completed`, `failed` and `cancelled` are ends; a retry leads out of `failed` only. */
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
 * The lawful transitions. `starting` is written before AWS is called, so it may lead anywhere: back
 * into the queue when nothing was created, or straight to an end when AWS refuses.
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

/** The states a job's slices are counted in. */
export type SliceCounts = Record<SliceState, number>;

/** The states of a job: derived from its slices, never stored. */
export const jobStates = [
  'waiting',
  'running',
  'cancelling',
  'completed',
  'failed',
  'cancelled',
] as const;
export type JobState = (typeof jobStates)[number];

/** What a job is, from how many of its slices are in which state, and whether its cancel was asked for. */
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

/** Whether nothing more happens to the job by itself. */
export function hasEnded(state: JobState): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}
