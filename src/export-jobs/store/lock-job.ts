import type { Queries } from '#database/database.ts';
import { deletedMeanwhile } from './deleted-job.ts';

/**
 * Locks the row of a job until the transaction ends, by writing it unchanged. Every transaction that
 * changes slices locks their job first. Otherwise two of them could deadlock, or each could take the
 * other's slices for open and neither would store the end of the job.
 * @throws Problem export-job-deleted
 */
export async function lockJob(queries: Queries, jobId: string) {
  const job = await lockJobIfThere(queries, jobId);
  if (!job) throw deletedMeanwhile();
  return job;
}

/** Locks the row of a job as `lockJob` does; `undefined` if there is no such job. */
export function lockJobIfThere(queries: Queries, jobId: string) {
  return queries
    .updateTable('jobs')
    .set(({ ref }) => ({ version: ref('version') }))
    .where('id', '=', jobId)
    .returning(['target', 'caller', 'acceptedAt', 'cancelRequestedAt'])
    .executeTakeFirst();
}
