import { sql } from 'kysely';

import type { Queries } from '#database/database.ts';
import { statedLimits } from '#problems/limits.ts';
import type { DeletionStep, PurgeTransaction } from './deletion-step.ts';

// How long the rows of a deleted job stay whole: longer than any request that found the job before can
// take. Lower: such a request sees a part of its slices.
const wholeAfterDeletionMs = 60_000;

/** Deletes events, then verifications, attempts and slices of deleted jobs. */
export const deleteRowsOfJobs: DeletionStep = async (transaction) => {
  const jobIds = await jobsWith('rows', wholeAfterDeletionMs, transaction);
  if (jobIds.length === 0) return undefined;
  for (const { table, key } of tablesOfJobs) {
    const { numAffectedRows = 0n } = await sql`
      delete from ${sql.table(table)} where (job_id, ${key}) in (
        select job_id, ${key} from ${sql.table(table)}
        where job_id in (${sql.join(jobIds)}) limit ${transaction.maxRows}
      )`.execute(transaction.queries);
    if (numAffectedRows > 0n) return { [table]: Number(numAffectedRows) };
  }
  return leave('key', jobIds, transaction.queries);
};

/** Slices come last: attempts refer to them. */
const tablesOfJobs = [
  { table: 'events', key: sql`version` },
  { table: 'verifications', key: sql`slice, attempt` },
  { table: 'attempts', key: sql`slice, attempt` },
  { table: 'slices', key: sql`number` },
] as const;

/** Deletes the Idempotency-Keys of jobs that were deleted long ago. */
export const deleteKeysOfJobs: DeletionStep = async (transaction) => {
  const { queries } = transaction;
  const jobIds = await jobsWith('key', statedLimits.keyAfterDeletionMs, transaction);
  if (jobIds.length === 0) return undefined;
  const { numDeletedRows } = await queries
    .deleteFrom('idempotencyKeys')
    .where('jobId', 'in', jobIds)
    .executeTakeFirstOrThrow();
  await leave('id', jobIds, queries);
  return { idempotencyKeys: Number(numDeletedRows) };
};

/** Deletes the ids of jobs that were deleted so long ago that nobody can know them. */
export const deleteIdsOfJobs: DeletionStep = async (transaction) => {
  const jobIds = await jobsWith('id', statedLimits.idAfterDeletionMs, transaction);
  if (jobIds.length === 0) return undefined;
  await transaction.queries.deleteFrom('deletedJobs').where('id', 'in', jobIds).execute();
  return { deletedJobs: jobIds.length };
};

type Rest = 'rows' | 'key' | 'id';

/** The deleted jobs that have this left, and were deleted at least `afterMs` ago, the oldest first. */
async function jobsWith(
  rest: Rest,
  afterMs: number,
  { queries, at, maxRows }: PurgeTransaction,
): Promise<string[]> {
  const jobs = await queries
    .selectFrom('deletedJobs')
    .select('id')
    .where('rest', '=', rest)
    .where('deletedAt', '<=', at - afterMs)
    .orderBy('deletedAt')
    .orderBy('id')
    .limit(maxRows)
    .execute();
  return jobs.map(({ id }) => id);
}

async function leave(rest: Rest, jobIds: readonly string[], queries: Queries) {
  await queries.updateTable('deletedJobs').set({ rest }).where('id', 'in', jobIds).execute();
  return {};
}

/** In how many ms rows of deleted jobs are to be deleted next; `undefined` when there are none. */
export async function rowsDueInMs(queries: Queries, at: number): Promise<number | undefined> {
  const { deletedAt } = await queries
    .selectFrom('deletedJobs')
    .select(({ fn }) => fn.min<number | null>('deletedAt').as('deletedAt'))
    .where('rest', '=', 'rows')
    .executeTakeFirstOrThrow();
  return deletedAt === null ? undefined : Math.max(0, deletedAt + wholeAfterDeletionMs - at);
}
