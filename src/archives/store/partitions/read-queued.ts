import type { Selectable } from 'kysely';

import type { Queries } from '#database/database.ts';
import type { ArchivePartitionRow } from '#database/rows/archive-rows.ts';
import type { JobRow } from '#database/tables.ts';
import type { SliceProblem } from '#export-jobs/export-job.ts';
import { activeStates, openStates, type SliceState } from '#export-jobs/slice.ts';

/** A partition in the queue, with its job. */
export interface QueuedPartition extends Omit<Selectable<ArchivePartitionRow>, 'state'> {
  /** Undefined if the job was deleted. */
  job: PartitionJob | undefined;
}

/** The job of a partition. */
export interface PartitionJob
  extends Pick<
    Selectable<JobRow>,
    'id' | 'fromAt' | 'toAt' | 'priority' | 'destination' | 'destinationPrefix' | 'verification'
  > {
  isCancelRequested: boolean;
  states: ReadonlySet<SliceState>;
  /** The most attempts of one of its slices. */
  attempts: number;
  /** The problem of one of its failed slices. */
  problem: SliceProblem | undefined;
}

/** Reads the partitions of an archive that are in the queue, with the states of their jobs. */
export async function readQueued(queries: Queries, archiveId: string): Promise<QueuedPartition[]> {
  const rows = await queries
    .selectFrom('archivePartitions')
    .selectAll()
    .where('archiveId', '=', archiveId)
    .where('state', '=', 'queued')
    .execute();
  const jobs = await readPartitionJobs(
    queries,
    rows.flatMap(({ jobId }) => jobId ?? []),
  );
  return rows.map(({ state: _, ...row }) => ({
    ...row,
    job: row.jobId === null ? undefined : jobs.get(row.jobId),
  }));
}

/** Reads the partitions in work of log groups: in the queue, or failed. */
export function readInWork(
  queries: Queries,
  archiveId: string,
  logGroupNames: ReadonlySet<string>,
) {
  return queries
    .selectFrom('archivePartitions')
    .select(['logGroupName', 'incarnation', 'fromAt', 'toAt'])
    .where('archiveId', '=', archiveId)
    .where('logGroupName', 'in', [...logGroupNames])
    .execute();
}

/** Reads jobs of partitions by their ids. One that was deleted is left out. */
export async function readPartitionJobs(
  queries: Queries,
  jobIds: readonly string[],
): Promise<Map<string, PartitionJob>> {
  if (jobIds.length === 0) return new Map();
  const rows = await queries
    .selectFrom('jobs')
    .innerJoin('slices', 'slices.jobId', 'jobs.id')
    .select(['jobs.id', 'jobs.fromAt', 'jobs.toAt', 'jobs.priority', 'jobs.destination'])
    .select(['jobs.destinationPrefix', 'jobs.verification', 'jobs.cancelRequestedAt'])
    .select(['slices.state as sliceState', 'slices.problem', 'slices.attempt'])
    .where('jobs.id', 'in', jobIds)
    .execute();
  const jobs = new Map<string, PartitionJob & { states: Set<SliceState> }>();
  for (const { sliceState, problem, attempt, cancelRequestedAt, ...job } of rows) {
    const known = jobs.get(job.id) ?? {
      ...job,
      isCancelRequested: cancelRequestedAt !== null,
      states: new Set<SliceState>(),
      attempts: 0,
      problem: undefined,
    };
    known.states.add(sliceState as SliceState);
    known.attempts = Math.max(known.attempts, attempt);
    if (sliceState === 'failed' && problem !== null) known.problem ??= JSON.parse(problem);
    jobs.set(job.id, known);
  }
  return jobs;
}

/** Whether all slices of a job have ended. */
export function hasEndedJob({ states }: PartitionJob): boolean {
  return openStates.every((state) => !states.has(state));
}

/** Whether no slice of a job has begun, or has ended. */
export function isWaitingJob({ states }: PartitionJob): boolean {
  return states.size === 1 && states.has('waiting');
}

/** Whether a slice of a job waits for the slot or is in it. */
export function needsSlot({ states }: PartitionJob): boolean {
  return states.has('waiting') || activeStates.some((state) => states.has(state));
}
