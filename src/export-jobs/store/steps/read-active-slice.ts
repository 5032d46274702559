import type { Database } from '#database/database.ts';
import { readTaskParameters, type TaskParameters } from '../../task-parameters.ts';
import { whereActive } from '../slice-conditions.ts';

/** The slice in the slot of a target, with its latest attempt. */
export type ActiveSlice = StartingSlice | RunningSlice;

/** A slice whose create may have been sent or not. */
export interface StartingSlice extends SliceInSlot {
  state: 'starting';
  /** Why its create has no clear answer: a `SliceProblem` as JSON; null when none is known. */
  problem: string | null;
}

/** A slice whose export task is known. */
export interface RunningSlice extends SliceInSlot {
  state: 'running' | 'cancelling';
  taskId: string;
  /** Whether its export is verified once the task is completed. */
  isVerified: boolean;
}

interface SliceInSlot {
  jobId: string;
  slice: number;
  attempt: number;
  failures: number;
  misses: number;
  /** The caller of the job. */
  caller: string;
  marker: string;
  logGroupName: string;
  fromAt: number;
  toAt: number;
  destination: string;
  destinationPrefix: string;
  /** What the caller sent over the protocol of AWS; null for every other job. */
  taskParameters: TaskParameters | null;
  /** The span of the request that created the job; null without traces. */
  traceParent: string | null;
  submittedAt: number;
  /** The time since it was submitted, by the clock of the database. */
  ageMs: number;
  isCancelRequested: boolean;
}

/** Reads the slice that holds the slot of a target; `undefined` when none does. */
export async function readActiveSlice(
  database: Database,
  target: string,
): Promise<ActiveSlice | undefined> {
  const row = await database.queries
    .selectFrom('slices')
    .innerJoin('jobs', 'jobs.id', 'slices.jobId')
    .innerJoin('attempts', (join) =>
      join
        .onRef('attempts.jobId', '=', 'slices.jobId')
        .onRef('attempts.slice', '=', 'slices.number')
        .onRef('attempts.attempt', '=', 'slices.attempt'),
    )
    .select((of) => [
      'slices.jobId',
      'slices.number as slice',
      'slices.attempt',
      'slices.state',
      'slices.failures',
      'slices.misses',
      'slices.caller',
      'slices.logGroupName',
      'slices.fromAt',
      'slices.toAt',
      'jobs.destination',
      'jobs.cancelRequestedAt',
      'jobs.verification',
      'jobs.taskParameters',
      'jobs.traceParent',
      'attempts.marker',
      'attempts.taskId',
      'attempts.problem',
      'attempts.destinationPrefix',
      'attempts.submittedAt',
      of(database.now(), '-', of.ref('attempts.submittedAt')).as('ageMs'),
    ])
    .where('slices.target', '=', target)
    .where(whereActive)
    .executeTakeFirst();
  if (!row) return undefined;
  const { cancelRequestedAt, verification, taskParameters, ...rest } = row;
  return {
    ...rest,
    taskParameters: readTaskParameters(taskParameters),
    isCancelRequested: cancelRequestedAt !== null,
    isVerified: verification !== 'off',
  } as ActiveSlice;
}
