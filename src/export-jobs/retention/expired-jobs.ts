import { sql } from 'kysely';

import type { Queries } from '#database/database.ts';
import { whereOpenSlices } from '../store/slice-conditions.ts';
import type { DeletionStep } from './deletion-step.ts';

/**
 * Stores the end of old jobs that have none: those from before the column existed, and those that an
 * older replica ended. Only jobs that are old enough to be deleted matter. A job that has not ended stays
 * without.
 */
export function storeMissingEnds(keepMs: number): DeletionStep {
  let last = { acceptedAt: -1, id: '' };
  return async ({ queries, at, maxRows }) => {
    const jobs = await queries
      .selectFrom('jobs')
      .select(['acceptedAt', 'id'])
      .where(sql<boolean>`ended_at is null`) // a literal, so that the partial index fits
      .where('acceptedAt', '<=', at - keepMs)
      .where(({ eb, refTuple, tuple }) =>
        eb(refTuple('acceptedAt', 'id'), '>', tuple(last.acceptedAt, last.id)),
      )
      .orderBy('acceptedAt')
      .orderBy('id')
      .limit(maxRows)
      .execute();
    last = jobs.at(-1) ?? last;
    if (jobs.length === 0) return undefined;
    await correctEnds(queries, jobs);
    return {};
  };
}

/**
 * Deletes the jobs that ended longest ago, so that no request finds them any more. Their slices, attempts
 * and events are left. The end that is stored may be wrong, because an older replica retried the job: so
 * it is corrected first.
 */
export function deleteExpiredJobs(keepMs: number): DeletionStep {
  return async ({ queries, at, maxRows }) => {
    const jobs = await queries
      .selectFrom('jobs')
      .select('id')
      .where('endedAt', '<=', at - keepMs)
      .orderBy('endedAt')
      .orderBy('id')
      .limit(maxRows)
      .execute();
    if (jobs.length === 0) return undefined;
    const corrected = await correctEnds(queries, jobs);
    const expired = corrected.filter(({ endedAt }) => endedAt !== null && endedAt <= at - keepMs);
    if (expired.length === 0) return {};
    await queries
      .insertInto('deletedJobs')
      .values(expired.map(({ id, caller }) => ({ id, caller, deletedAt: at, rest: 'rows' })))
      .execute();
    const ids = expired.map(({ id }) => id);
    await queries.deleteFrom('jobs').where('id', 'in', ids).execute();
    return { jobs: expired.length };
  };
}

// The time of the event that made the version of the job. If a retry commits while this statement waits
// for its lock, PostgreSQL sees the new version of the job, but not yet the event of it: then the end is
// null. So a job that was retried never counts as ended.
const trueEnd = sql<number | null>`
  case when ${whereOpenSlices} then null else
    (select at from events where events.job_id = jobs.id and events.version = jobs.version)
  end`;

/** Stores the true end of jobs, and locks them until the transaction ends. */
function correctEnds(queries: Queries, jobs: readonly { id: string }[]) {
  return queries
    .updateTable('jobs')
    .set({ endedAt: trueEnd })
    .where(
      'id',
      'in',
      jobs.map(({ id }) => id),
    )
    .returning(['id', 'caller', 'endedAt'])
    .execute();
}
