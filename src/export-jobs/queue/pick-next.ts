import { sql } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import { engineSql } from '#database/engine-sql.ts';
import { readTaskParameters } from '../task-parameters.ts';
import { servingOrder } from './serving-order.ts';

/**
 * Picks the slice that starts next at a target: the first ready slice of the first queue in
 * `servingOrder`. `undefined` when no slice is ready.
 */
export async function pickNext(queries: Queries, database: Database, target: string) {
  let ready = queries
    .selectFrom('lines')
    .select(['priority', 'caller'])
    .where('target', '=', target)
    .where(
      // A scalar subquery: for an `exists` PostgreSQL may read the whole queue.
      (row) =>
        row
          .selectFrom('slices')
          .select('readyAt')
          .whereRef('slices.target', '=', 'lines.target')
          .whereRef('slices.priority', '=', 'lines.priority')
          .whereRef('slices.caller', '=', 'lines.caller')
          // A literal: the partial index of waiting slices is used only for one.
          .where('state', '=', sql.lit('waiting'))
          .orderBy('readyAt')
          .limit(1),
      '<=',
      database.now(),
    );
  const moment = {
    at: database.now(),
    start: sql<number>`(select turns + 1 from slots where target = ${target})`,
    caller: engineSql[database.kind].inBytes('lines.caller'),
  };
  for (const { inSql, direction } of servingOrder) ready = ready.orderBy(inSql(moment), direction);
  const queue = await ready.limit(1).executeTakeFirst();
  if (!queue) return undefined;
  const slice = await queries
    .selectFrom('slices')
    .select(['jobId', 'number', 'attempt', 'parent', 'logGroupName', 'fromAt', 'toAt'])
    .select(['failures', 'misses'])
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
    .select([
      'principal',
      'destination',
      'timeZone',
      'logStreamNamePrefix',
      'traceParent',
      'revision',
      'taskParameters',
    ])
    .select('destinationPrefix as prefixTemplate')
    .where('id', '=', slice.jobId)
    .executeTakeFirstOrThrow();
  const taskParameters = readTaskParameters(job.taskParameters);
  return { ...queue, ...slice, ...job, taskParameters };
}
