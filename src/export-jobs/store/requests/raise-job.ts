import type { Queries } from '#database/database.ts';
import { openQueue } from '../../queue/fair-share.ts';
import { lockJob } from '../lock-job.ts';

/**
 * Raises the priority of a job that is about to be retried, in the transaction of the caller. A job that has this
 * priority or a higher one stays as it is.
 * @throws Problem export-job-deleted
 */
export async function raiseJob(queries: Queries, jobId: string, priority: number): Promise<void> {
  const { target, caller } = await lockJob(queries, jobId);
  const { numUpdatedRows } = await queries
    .updateTable('jobs')
    .set({ priority })
    .where('id', '=', jobId)
    .where('priority', '<', priority)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return;
  await queries.updateTable('slices').set({ priority }).where('jobId', '=', jobId).execute();
  await openQueue(queries, { target, caller, priority });
}
