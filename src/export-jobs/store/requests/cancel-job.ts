import type { Database } from '#database/database.ts';
import { sliceEnds } from '#diagnostics/exports.ts';
import { begunStates } from '../../slice.ts';
import { lockJob } from '../lock-job.ts';
import { type Approval, recordChange } from '../record-change.ts';
import { changeSlices } from './change-slices.ts';
import { type RequestOutcome, toAuditContext } from './request-outcome.ts';

/**
 * Requests the cancel of a job, in one transaction. It cancels the waiting slices at once and leaves a
 * slice in the slot to the dispatcher. A verification goes on. It does not change a job that has ended, and may be repeated.
 * @throws Problem export-job-deleted
 */
export async function cancelJob(
  database: Database,
  jobId: string,
  approval: Approval,
): Promise<RequestOutcome> {
  const auditContext = toAuditContext('CancelExportJob', approval);
  const outcome = await database.transaction(async (queries) => {
    const { target, cancelRequestedAt } = await lockJob(queries, jobId);
    const waiting = { jobId, state: 'waiting' } as const;
    const slices = await changeSlices(queries, waiting, { state: 'cancelled' });
    const begun = await queries
      .selectFrom('slices')
      .select('number')
      .where('jobId', '=', jobId)
      .where('state', 'in', begunStates)
      .executeTakeFirst();
    if (cancelRequestedAt === null && (slices > 0 || begun)) {
      await queries
        .updateTable('jobs')
        .set({ cancelRequestedAt: database.now() })
        .where('id', '=', jobId)
        .execute();
      await recordChange(queries, database, jobId, { type: 'job-cancel-requested' }, auditContext);
      await database.notify(queries, target);
    }
    if (slices > 0)
      await recordChange(
        queries,
        database,
        jobId,
        { type: 'slices-cancelled', slices },
        auditContext,
      );
    return { target, slices };
  });
  const { target, slices } = outcome;
  if (slices > 0) sliceEnds.publish({ target, outcome: 'cancelled', slices });
  return outcome;
}
