import type { Action } from '#auth/authorization/action.ts';
import type { Database, Queries } from '#database/database.ts';
import { Problem } from '#problems/problem.ts';
import { activeStates } from '../../slice.ts';
import { type Approval, type Deed, recordChange } from '../changes.ts';
import { demandRoom } from './waiting-limit.ts';

/** What a request did to a job. */
export interface RequestOutcome {
  target: string;
  /** How many of its slices it moved. */
  slices: number;
}

/**
 * Asks for a job's cancel, in one transaction: its waiting slices are cancelled, one that holds the
 * slot is left to the dispatcher. A job that has ended stays as it is; a second time changes nothing.
 */
export function cancelJob(
  database: Database,
  jobId: string,
  approval: Approval,
): Promise<RequestOutcome> {
  const deed = toDeed('CancelExportJob', approval);
  return database.transaction(async (queries) => {
    const { target, cancelRequestedAt } = await lockJob(queries, jobId);
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
      await recordChange(queries, database, jobId, { type: 'job-cancel-requested' }, deed);
    }
    if (slices > 0)
      await recordChange(queries, database, jobId, { type: 'slices-cancelled', slices }, deed);
    return { target, slices };
  });
}

/**
 * Puts the failed slices of a job back into line, as if they had never been tried, in one transaction.
 * @throws Problem export-job-cancelled, when its cancel was asked for; too-many-waiting-slices, when
 * its caller would have more than `mostWaitingSlices`
 */
export function retryJob(
  database: Database,
  jobId: string,
  approval: Approval,
  mostWaitingSlices: number,
): Promise<RequestOutcome> {
  const deed = toDeed('RetryExportJob', approval);
  return database.transaction(async (queries) => {
    const { target, caller, cancelRequestedAt } = await lockJob(queries, jobId);
    if (cancelRequestedAt !== null) {
      throw new Problem(
        'export-job-cancelled',
        `Its cancel was asked for at ${new Date(cancelRequestedAt).toISOString()}.`,
      );
    }
    const { failed } = await queries
      .selectFrom('slices')
      .where('jobId', '=', jobId)
      .where('state', '=', 'failed')
      .select(({ fn }) => fn.countAll<number>().as('failed'))
      .executeTakeFirstOrThrow();
    await demandRoom(queries, caller, failed, mostWaitingSlices);
    await queries
      .updateTable('slices')
      .set({ state: 'waiting', failures: 0, misses: 0, problem: null, readyAt: database.now() })
      .where('jobId', '=', jobId)
      .where('state', '=', 'failed')
      .execute();
    const change = { type: 'slices-retried', slices: failed } as const;
    if (failed > 0) await recordChange(queries, database, jobId, change, deed);
    return { target, slices: failed };
  });
}

/**
 * Locks the row of a job until the transaction ends, by writing it as it is: before any of its
 * slices, as everybody does who changes them.
 */
function lockJob(queries: Queries, jobId: string) {
  return queries
    .updateTable('jobs')
    .set(({ ref }) => ({ version: ref('version') }))
    .where('id', '=', jobId)
    .returning(['target', 'caller', 'cancelRequestedAt'])
    .executeTakeFirstOrThrow();
}

function toDeed(action: Action, { asker, policies }: Approval): Deed {
  return { action, principal: asker.principal.id, requestId: asker.id, policies };
}
