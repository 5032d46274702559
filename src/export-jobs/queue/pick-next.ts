import { sql } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import { priorityIgnoredEvery } from './fair-share.ts';

const wherePriorityIgnored = (target: string) =>
  sql`(select turns + 1 from slots where target = ${target}) % ${sql.lit(priorityIgnoredEvery)} = 0`;

/**
 * Who is next. Two look-ups in the index of the queue: the first queue, in order, whose first slice is
 * ready, and that slice. The scalar subquery, not an `exists`, keeps PostgreSQL from ever reading
 * the whole queue; `waiting` is written out because only so the partial index is used.
 */
export async function pickNext(queries: Queries, database: Database, target: string) {
  const queue = await queries
    .selectFrom('lines')
    .select(['priority', 'caller'])
    .where('target', '=', target)
    .where(
      (row) =>
        row
          .selectFrom('slices')
          .select('readyAt')
          .whereRef('slices.target', '=', 'lines.target')
          .whereRef('slices.priority', '=', 'lines.priority')
          .whereRef('slices.caller', '=', 'lines.caller')
          .where('state', '=', sql.lit('waiting'))
          .orderBy('readyAt')
          .limit(1),
      '<=',
      database.now(),
    )
    .orderBy((queue) => queue('asideUntil', '>', database.now()))
    .orderBy(sql`case when ${wherePriorityIgnored(target)} then 0 else lines.priority end`, 'desc')
    .orderBy('lastTurn')
    .orderBy('priority', 'desc')
    .orderBy('caller')
    .limit(1)
    .executeTakeFirst();
  if (!queue) return undefined;
  const slice = await queries
    .selectFrom('slices')
    .select(['jobId', 'number', 'attempt', 'logGroupName', 'fromAt', 'toAt'])
    .where('target', '=', target)
    .where('priority', '=', queue.priority)
    .where('caller', '=', queue.caller)
    .where('state', '=', sql.lit('waiting'))
    .where('readyAt', '<=', database.now())
    .orderBy('readyAt')
    .orderBy('jobId')
    .orderBy('number')
    .limit(1)
    .executeTakeFirst();
  if (!slice) return undefined;
  const job = await queries
    .selectFrom('jobs')
    .select(['principal', 'destination', 'destinationPrefix', 'timeZone', 'logStreamNamePrefix'])
    .where('id', '=', slice.jobId)
    .executeTakeFirstOrThrow();
  return { ...queue, ...slice, ...job };
}
