import type { Database, Queries } from '#database/database.ts';
import { lockJob } from '../lock-job.ts';
import { type AuditContext, recordChange } from '../record-change.ts';
import { changeSlices } from './change-slices.ts';

/**
 * Cancels a job that waits, in the transaction of the caller. Returns its number of slices. Returns 0 and
 * changes nothing if a slice has begun or ended.
 * @throws Problem export-job-deleted
 */
export async function withdrawJob(
  queries: Queries,
  database: Database,
  jobId: string,
  auditContext: AuditContext,
): Promise<number> {
  await lockJob(queries, jobId);
  const other = await queries
    .selectFrom('slices')
    .select('number')
    .where('jobId', '=', jobId)
    .where('state', '!=', 'waiting')
    .executeTakeFirst();
  if (other) return 0;
  const waiting = { jobId, state: 'waiting' } as const;
  const slices = await changeSlices(queries, waiting, { state: 'cancelled' });
  await queries
    .updateTable('jobs')
    .set({ cancelRequestedAt: database.now() })
    .where('id', '=', jobId)
    .execute();
  const change = { type: 'slices-cancelled', slices } as const;
  await recordChange(queries, database, jobId, change, auditContext);
  return slices;
}
