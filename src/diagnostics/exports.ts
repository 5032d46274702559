import { openChannel } from './channel.ts';

/** Slices of one job that have ended together. */
interface EndedSlices {
  target: string;
  outcome: 'completed' | 'failed' | 'cancelled' | 'split';
  slices: number;
}

/** An export task of ours that is COMPLETED; the duration is by the clock of AWS. */
interface CompletedTask {
  target: string;
  durationMs: number;
}

/** A verification of an export that has ended. */
interface EndedVerification {
  target: string;
  result: 'complete' | 'empty' | 'incomplete' | 'skipped';
  /** Since its task was seen to be completed. */
  durationMs: number;
}

/** What is known at last of a create without an answer. */
interface ReconciledCreate {
  target: string;
  result: 'created' | 'not-created' | 'unknown';
}

/** A look at an archive that has ended. */
interface EndedLook {
  result: 'completed' | 'failed';
  durationMs: number;
}

/** An attempt of a slice. */
export interface SliceAttempt {
  /** Unique among all attempts. */
  marker: string;
  /** The span of the request that created the job, as a header traceparent; null if it had none. */
  traceParent: string | null;
}

/** An attempt that has ended, with or without an export. */
interface EndedAttempt extends SliceAttempt {
  target: string;
  jobId: string;
  slice: number;
  attempt: number;
  /** Since it was recorded, before its create was sent. */
  durationMs: number;
  outcome: string;
  /** The slug of the problem that it ended with. */
  problem: string | undefined;
  /** The times of the task by the clock of AWS, in epoch ms. */
  taskCreatedAt: number | undefined;
  taskCompletedAt: number | undefined;
  /** How often this process polled the task. */
  polls: number;
}

/** Calls to AWS for an attempt, without polls. `run` contains the call. */
export const attemptCalls = openChannel<SliceAttempt>('attempt-call');
/** Attempts that have ended. */
export const attemptEnds = openChannel<EndedAttempt>('attempt-end');
/** Slices that have ended. */
export const sliceEnds = openChannel<EndedSlices>('slice-end');
/** Export tasks that have completed. */
export const completedTasks = openChannel<CompletedTask>('task-completed');
/** Verifications of exports that have ended. */
export const verificationEnds = openChannel<EndedVerification>('verification-end');
/** Creates that were sent and got no clear answer. */
export const lostCreates = openChannel<{ target: string }>('create-without-answer');
/** Creates without an answer whose outcome was looked up. */
export const reconciledCreates = openChannel<ReconciledCreate>('create-reconciled');
/** Export tasks of ours that no slice knows, each found for the first time. */
export const orphanedTasks = openChannel<{ target: string }>('orphaned-task');
/** Finished jobs that were deleted because they are old. */
export const deletedJobs = openChannel<{ jobs: number }>('jobs-deleted');
/** Looks at archives that have ended. */
export const lookEnds = openChannel<EndedLook>('look-end');
/** Heartbeats of archives, sent or not. */
export const heartbeatEnds = openChannel<{ outcome: 'delivered' | 'refused' | 'failed' }>(
  'heartbeat-end',
);

/** A try of a delivery that has ended. */
interface EndedDelivery {
  kind: 'webhook' | 'sns' | 'event-bus';
  outcome: 'delivered' | 'failed' | 'gone' | 'refused';
  durationMs: number;
}

/** Tries of deliveries of notifications that have ended. */
export const deliveryEnds = openChannel<EndedDelivery>('delivery-end');
