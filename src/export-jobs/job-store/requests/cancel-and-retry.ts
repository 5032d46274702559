import type { Database, Queries } from '#database/database.ts';
import { Problem } from '#problems/problem.ts';
import { activeStates } from '../../slice.ts';
import { recordChange } from '../changes.ts';

/** What a request did to a job. */
export interface RequestOutcome {
  target: string;
  /** How many of its slices it moved. */
  slices: number;
}

/**
 * Asks for a job's cancel, in one transaction: its waiting slices are cancelled, one that holds the
 * slot is left to the dispatcher. A job that has ended stays as it is; a second time changes nothing.
 * @throws Problem export-job-not-found
 */
export function cancelJob(
  database: Database,
  jobId: string,
  caller: string,
): Promise<RequestOutcome> {
  return database.transaction(async (queries) => {
    const { target, cancelRequestedAt } = await lockJob(queries, jobId, caller);
    const cancelled = await queries
      .updateTable('slices')
      .set({ state: 'cancelled' })
      .where('jobId', '=', jobId)
      .where('state', '=', 'waiting')
      .executeTakeFirst();
    const slices = Number(cancelled.numUpdatedRows);
    const active = await queries
      .selectFrom('slices')
      .select('number')
      .where('jobId', '=', jobId)
      .where('state', 'in', activeStates)
      .executeTakeFirst();
    if (cancelRequestedAt === null && (slices > 0 || active)) {
      await queries
        .updateTable('jobs')
        .set({ cancelRequestedAt: database.now() })
        .where('id', '=', jobId)
        .execute();
      await recordChange(queries, database, jobId, { type: 'job-cancel-requested' });
    }
    if (slices > 0)
      await recordChange(queries, database, jobId, { type: 'slices-cancelled', slices });
    return { target, slices };
  });
}

/**
 * Puts the failed slices of a job back into line, as if they had never been tried, in one transaction.
 * @throws Problem export-job-not-found; export-job-cancelled, when its cancel was asked for
 */
export function retryJob(
  database: Database,
  jobId: string,
  caller: string,
): Promise<RequestOutcome> {
  return database.transaction(async (queries) => {
    const { target, cancelRequestedAt } = await lockJob(queries, jobId, caller);
    if (cancelRequestedAt !== null) {
      throw new Problem(
        'export-job-cancelled',
        `Its cancel was asked for at ${new Date(cancelRequestedAt).toISOString()}.`,
      );
    }
    const retried = await queries
      .updateTable('slices')
      .set({ state: 'waiting', failures: 0, problem: null, readyAt: database.now() })
      .where('jobId', '=', jobId)
      .where('state', '=', 'failed')
      .executeTakeFirst();
    const slices = Number(retried.numUpdatedRows);
    if (slices > 0)
      await recordChange(queries, database, jobId, { type: 'slices-retried', slices });
    return { target, slices };
  });
}

/**
 * Locks the row of a caller's job until the transaction ends, by writing it as it is: before any of
 * its slices, as everybody does who changes them.
 */
async function lockJob(queries: Queries, jobId: string, caller: string) {
  const job = await queries
    .updateTable('jobs')
    .set(({ ref }) => ({ version: ref('version') }))
    .where('id', '=', jobId)
    .where('caller', '=', caller)
    .returning(['target', 'cancelRequestedAt'])
    .executeTakeFirst();
  if (!job) throw new Problem('export-job-not-found', 'You have no export job of this id.');
  return job;
}
