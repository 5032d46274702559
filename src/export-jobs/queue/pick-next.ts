import { sql } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import { readTaskParameters } from '../task-parameters.ts';
import { readStartCount, waitingQueues } from './read-queue.ts';
import { compareQueues, isPriorityIgnored } from './serving-order.ts';

/**
 * Picks the slice that starts next at a target: the first ready slice of the first queue by `compareQueues`.
 * `undefined` when no slice is ready.
 */
export async function pickNext(queries: Queries, database: Database, target: string) {
  const ready = await waitingQueues(queries, target)
    .select(database.now().as('at'))
    .where(
      // A scalar subquery: for an `exists` PostgreSQL may read the whole queue.
      (row) =>
        row
          .selectFrom('slices')
          .select('readyAt')
          .where('slices.target', '=', target)
          .whereRef('slices.priority', '=', 'queued.priority')
          .whereRef('slices.caller', '=', 'queued.caller')
          // A literal: the partial index of waiting slices is used only for one.
          .where('state', '=', sql.lit('waiting'))
          .orderBy('readyAt')
          .limit(1),
      '<=',
      database.now(),
    )
    .execute();
  if (!ready[0]) return undefined;
  const start = 1 + (await readStartCount(queries, target));
  const compare = compareQueues(ready, { at: ready[0].at, start });
  const queue = ready.reduce((best, each) => (compare(each, best) < 0 ? each : best));
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
  return {
    ...slice,
    ...job,
    priority: queue.priority,
    caller: queue.caller,
    isPriorityIgnored: isPriorityIgnored(ready, start),
    taskParameters,
  };
}
