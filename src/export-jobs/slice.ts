/**
 * The states of a slice. `completed`, `failed`, `cancelled` and `split` are ends. Only a retry leaves
 * `failed`. A `split` slice has children: shorter slices that are exported instead.
 */
export const sliceStates = [
  'waiting',
  'starting',
  'running',
  'cancelling',
  'verifying',
  'completed',
  'failed',
  'cancelled',
  'split',
] as const;
export type SliceState = (typeof sliceStates)[number];

/**
 * The valid transitions. `starting` is recorded before AWS is called. So it may return to the queue
 * when nothing was created, or end at once when AWS refuses. A waiting slice fails with another slice of
 * its job if both have the same cause. A slice of a job without verification goes from `running` to
 * `completed`.
 */
export const transitions: Record<SliceState, readonly SliceState[]> = {
  waiting: ['starting', 'failed', 'cancelled'],
  starting: ['running', 'waiting', 'failed', 'cancelled'],
  running: ['cancelling', 'verifying', 'completed', 'failed', 'waiting', 'cancelled', 'split'],
  cancelling: ['cancelled', 'verifying', 'completed', 'failed', 'waiting', 'split'],
  verifying: ['completed', 'failed', 'waiting', 'cancelled'],
  completed: [],
  failed: ['waiting'],
  cancelled: [],
  split: [],
};

/** The states in which a slice holds the slot of its target. */
export const activeStates = ['starting', 'running', 'cancelling'] as const satisfies SliceState[];

/** The states in which a slice is neither in the queue nor ended. `verifying` leaves the slot to others. */
export const begunStates = [...activeStates, 'verifying'] as const satisfies SliceState[];

/** The states in which a slice has not ended. */
export const openStates = ['waiting', ...begunStates] as const satisfies SliceState[];

/** The states in which a slice has ended. */
const endStates = ['completed', 'failed', 'cancelled', 'split'] as const satisfies SliceState[];
export type SliceEnd = (typeof endStates)[number];

/** Whether a slice has ended: only a retry changes it. */
export const isEnd = (state: SliceState): state is SliceEnd =>
  (endStates as readonly SliceState[]).includes(state);

/** The number of slices of a job in each state. */
export type SliceCounts = Record<SliceState, number>;
