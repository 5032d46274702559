import { openChannel } from './channel.ts';

/** Slices of one job that have ended together. */
interface EndedSlices {
  target: string;
  outcome: 'completed' | 'failed' | 'cancelled';
  slices: number;
}

/** An export task of ours that is COMPLETED; the duration is by the clock of AWS. */
interface CompletedTask {
  target: string;
  durationMs: number;
}

/** What is known at last of a create without an answer. */
interface ReconciledCreate {
  target: string;
  result: 'created' | 'not-created' | 'unknown';
}

/** Slices that have ended. */
export const sliceEnds = openChannel<EndedSlices>('slice-end');
/** Export tasks that have completed. */
export const completedTasks = openChannel<CompletedTask>('task-completed');
/** Creates that were sent and got no clear answer. */
export const lostCreates = openChannel<{ target: string }>('create-without-answer');
/** Creates without an answer whose outcome was looked up. */
export const reconciledCreates = openChannel<ReconciledCreate>('create-reconciled');
/** Export tasks of ours that no slice knows, each found for the first time. */
export const orphanedTasks = openChannel<{ target: string }>('orphaned-task');
/** Finished jobs that were deleted because they are old. */
export const deletedJobs = openChannel<{ jobs: number }>('jobs-deleted');
