import { sql } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import { Problem } from '#problems/problem.ts';
import { toDateTime } from '#time/date-time.ts';
import { readClock } from '../../queue/read-queue.ts';
import { requireWaitingCapacity } from '../../queue/waiting-limit.ts';
import { lockJob } from '../lock-job.ts';
import { type Approval, type AuditContext, recordChange } from '../record-change.ts';
import { changeSlices } from './change-slices.ts';
import { type RequestOutcome, toAuditContext } from './request-outcome.ts';

/**
 * Puts the failed slices of a job back into the queue, in one transaction. Their counts of failures
 * start again at 0. A slice whose log events are not exportable yet waits for them, as before.
 * @throws Problem export-job-cancelled, when its cancel was requested; export-job-deleted; and
 * too-many-waiting-slices, when its caller would have more than `maxWaitingSlices`
 */
export function retryJob(
  database: Database,
  jobId: string,
  approval: Approval,
  maxWaitingSlices: number,
): Promise<RequestOutcome> {
  const auditContext = toAuditContext('RetryExportJob', approval);
  return database.transaction((queries) =>
    writeRetry(queries, database, jobId, auditContext, maxWaitingSlices),
  );
}

/** Puts the failed slices of a job back into the queue, in the transaction of the caller. See `retryJob`. */
export async function writeRetry(
  queries: Queries,
  database: Database,
  jobId: string,
  auditContext: AuditContext,
  maxWaitingSlices: number,
): Promise<RequestOutcome> {
  const { target, caller, cancelRequestedAt } = await lockJob(queries, jobId);
  if (cancelRequestedAt !== null) {
    throw new Problem(
      'export-job-cancelled',
      `The cancel of this job was requested at ${toDateTime(cancelRequestedAt)}.`,
    );
  }
  const { failed } = await queries
    .selectFrom('slices')
    .where('jobId', '=', jobId)
    .where('state', '=', 'failed')
    .select(({ fn }) => fn.countAll<number>().as('failed'))
    .executeTakeFirstOrThrow();
  await requireWaitingCapacity(queries, caller, failed, maxWaitingSlices);
  const now = await readClock({ ...database, queries }); // of all: they are neighbours in the queue
  // A slice can fail with others while its log events are not exportable yet.
  const readyAt = sql<number>`case when not_before_at > ${now} then not_before_at else ${now} end`;
  const again = { state: 'waiting', failures: 0, misses: 0, problem: null, readyAt };
  await changeSlices(queries, { jobId, state: 'failed' }, again);
  const change = { type: 'slices-retried', slices: failed } as const;
  if (failed > 0) {
    await recordChange(queries, database, jobId, change, auditContext);
    await database.notify(queries, target);
  }
  return { target, slices: failed };
}
