import { sql } from 'kysely';

import type { Queries } from '#database/database.ts';
import type { DeletionStep, PurgeTransaction } from './deletion-step.ts';

/**
 * Deletes the queues of callers that have no job any more: a caller can be a pipeline that has another
 * name at each run. Returns a step that goes through all queues, caller by caller.
 */
export function deleteUnusedQueues(): DeletionStep {
  let last = '';
  return async (transaction) => {
    const { queries, maxRows } = transaction;
    const page = await queries
      .selectFrom('lines')
      .select('caller')
      .distinct()
      .where('caller', '>', last)
      .orderBy('caller')
      .limit(maxRows)
      .execute();
    last = page.at(-1)?.caller ?? last;
    if (page.length === 0) return undefined;
    const unused = await callersWithoutJobs(
      queries,
      page.map(({ caller }) => caller),
    );
    if (unused.length === 0) return {};
    await queries.deleteFrom('callers').where('id', 'in', unused).execute(); // rows to lock, no more
    if (!(await areAllQueuesVisible(transaction))) return {};
    const callers = await callersWithoutJobs(queries, unused);
    if (callers.length === 0) return {};
    const { numDeletedRows } = await queries
      .deleteFrom('lines')
      .where('caller', 'in', callers)
      .executeTakeFirstOrThrow();
    return { queues: Number(numDeletedRows) };
  };
}

async function callersWithoutJobs(queries: Queries, callers: readonly string[]): Promise<string[]> {
  const rows = await queries
    .selectFrom('lines')
    .select('caller')
    .distinct()
    .where('caller', 'in', callers)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('jobs').select('id').whereRef('jobs.caller', '=', 'lines.caller'))),
    )
    .execute();
  return rows.map(({ caller }) => caller);
}

/**
 * Prevents that a queue is deleted while a job is put into it: the accept of a job does not lock the row
 * of a queue that exists. PostgreSQL locks the table, if nobody writes to it at this moment.
 */
async function areAllQueuesVisible({ queries, kind }: PurgeTransaction): Promise<boolean> {
  if (kind === 'sqlite') return true;
  await sql`savepoint queues`.execute(queries);
  return sql`lock table lines in share row exclusive mode nowait`.execute(queries).then(
    () => true,
    () => giveUp(queries),
  );
}

async function giveUp(queries: Queries): Promise<false> {
  await sql`rollback to savepoint queues`.execute(queries);
  return false;
}
