import { gatewayItself } from '#audit/audit.ts';
import type { Queries } from '#database/database.ts';
import { sliceEnds } from '#diagnostics/exports.ts';
import { lockJob } from '#export-jobs/store/lock-job.ts';
import { withdrawJob } from '#export-jobs/store/requests/withdraw-job.ts';
import { type QueuedPartition, readPartitionJobs } from '../../store/partitions/read-queued.ts';
import { deletePartition } from '../../store/partitions/write-partitions.ts';
import type { Look } from '../look.ts';

/** What withdrawing has left. */
interface Withdrawal {
  withdrawn: QueuedPartition[];
  /** The partitions that stay in the queue. */
  queued: QueuedPartition[];
}

/**
 * Takes partitions out of the queue: cancels their jobs, in the transaction of the caller. A job that has begun
 * meanwhile goes on.
 */
export async function withdrawPartitions(
  { writer }: Look,
  queries: Queries,
  rows: readonly QueuedPartition[],
  inQueue: readonly QueuedPartition[],
): Promise<Withdrawal> {
  const auditContext = {
    action: 'CancelExportJob',
    principal: gatewayItself,
    requestId: lookIdOf(writer.lease),
  } as const;
  const withdrawn = new Set<QueuedPartition>();
  const begun: string[] = [];
  // All of them before the first change, which locks the archive.
  for (const { jobId } of rows.toSorted(byJobId)) if (jobId !== null) await lockJob(queries, jobId);
  for (const row of rows) {
    if (row.jobId === null) continue;
    const slices = await withdrawJob(queries, writer.database, row.jobId, auditContext);
    if (slices === 0) begun.push(row.jobId);
    else {
      await deletePartition(queries, row);
      withdrawn.add(row);
    }
  }
  const jobs = await readPartitionJobs(queries, begun);
  const queued = inQueue
    .filter((row) => !withdrawn.has(row))
    .map((row) => ({ ...row, job: jobs.get(row.jobId ?? '') ?? row.job }));
  return { withdrawn: [...withdrawn], queued };
}

/** Announces withdrawn jobs, after the transaction. */
export function announceWithdrawn(
  { archive, onJobChange }: Look,
  withdrawn: readonly QueuedPartition[],
): void {
  for (const { jobId } of withdrawn) {
    if (jobId !== null) onJobChange(jobId);
    sliceEnds.publish({ target: archive.target, outcome: 'cancelled', slices: 1 });
  }
}

/** The id of a look in the audit of jobs. */
export const lookIdOf = ({ archiveId, looks }: Look['writer']['lease']): string =>
  `archive-${archiveId}-${looks}`;

// All transactions lock jobs in this order.
const byJobId = (one: QueuedPartition, other: QueuedPartition) =>
  (one.jobId ?? '') < (other.jobId ?? '') ? -1 : 1;
