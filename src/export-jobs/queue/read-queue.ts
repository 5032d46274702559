import { sql } from 'kysely';
import type { Database, Queries } from '#database/database.ts';
import { minuteMs } from '#time/durations.ts';
import { whereWaiting } from '../store/slice-conditions.ts';
import type { QueueStanding } from './serving-order.ts';

/** Reads the clock of the database. */
export async function readClock({ queries, now }: Database): Promise<number> {
  const { at } = await queries.selectNoFrom(now().as('at')).executeTakeFirstOrThrow();
  return at;
}

/** A caller's queue at a target and priority, counted at one moment. */
export interface CountedQueue extends QueueStanding {
  waiting: number;
  ready: number;
}

/** Counts the queues of a target at a moment, the highest priority first. Includes empty queues. */
export async function readCallerQueues(
  database: Database,
  target: string,
  at: number,
): Promise<CountedQueue[]> {
  const queues = await database.queries
    .selectFrom('lines')
    .select(['priority', 'caller', 'lastTurn as lastServed', 'lastTenth', 'asideUntil'])
    .where('target', '=', target)
    .orderBy('priority', 'desc')
    .orderBy('caller')
    .execute();
  const counted: CountedQueue[] = [];
  const count = await makeCount(database, target, at);
  for (const queue of queues) counted.push({ ...queue, ...(await count(queue)) });
  return counted;
}

type Count = Pick<CountedQueue, 'waiting' | 'ready'>;

/**
 * Makes what counts a queue. On SQLite it is one statement for each, so that other requests run between two. That
 * is several times slower on PostgreSQL, which then checks the visibility of every row.
 */
async function makeCount({ queries, kind }: Database, target: string, at: number) {
  const counts = queries
    .selectFrom('slices')
    .where('target', '=', target)
    .where(whereWaiting)
    .select(({ fn }) => [
      fn.countAll<number>().as('waiting'),
      fn.countAll<number>().filterWhere('readyAt', '<=', at).as('ready'),
    ]);
  if (kind === 'sqlite')
    return ({ priority, caller }: QueueStanding): Promise<Count> =>
      counts.where((row) => row.and({ priority, caller })).executeTakeFirstOrThrow();
  const keyOf = ({ priority, caller }: Pick<QueueStanding, 'priority' | 'caller'>) =>
    `${priority} ${caller}`;
  const rows = await counts
    .groupBy(['priority', 'caller'])
    .select(['priority', 'caller'])
    .execute();
  const counted = new Map(rows.map((row) => [keyOf(row), row]));
  return async (queue: QueueStanding): Promise<Count> => {
    const { waiting = 0, ready = 0 } = counted.get(keyOf(queue)) ?? {};
    return { waiting, ready };
  };
}

/** The waiting slices, found queue by queue. Without a target, the indexes lead only from a queue to its slices. */
export function fromQueues(queries: Queries) {
  return queries
    .selectFrom('lines')
    .innerJoin('slices', (on) =>
      on
        .onRef('slices.target', '=', 'lines.target')
        .onRef('slices.priority', '=', 'lines.priority')
        .onRef('slices.caller', '=', 'lines.caller'),
    )
    .where(whereWaiting);
}

/** Reads at most `limit` waiting jobs of a target, queue by queue, the highest priority first. */
export function readWaitingJobs(queries: Queries, target: string, limit: number) {
  return queries
    .selectFrom('slices')
    .select(['priority', 'caller', 'jobId'])
    .where('target', '=', target)
    .where(whereWaiting)
    .groupBy(['priority', 'caller', 'jobId'])
    .orderBy('priority', 'desc')
    .orderBy('caller')
    .orderBy('jobId')
    .limit(limit)
    .execute();
}

/** Reads how many starts there have been at a target. */
export async function readStartCount(queries: Queries, target: string): Promise<number> {
  const query = queries.selectFrom('slots').select('turns').where('target', '=', target);
  return (await query.executeTakeFirst())?.turns ?? 0;
}

// A slice counts as ready at the end of its minute. So there are a handful of rows instead of one per
// slice, and no estimate here is better than a minute.

/** Counts the slices of each queue of a target that become ready after a moment, by minute. */
export async function readArrivals(queries: Queries, target: string, at: number) {
  const rows = await queries
    .selectFrom(
      fromQueues(queries)
        .where('lines.target', '=', target)
        .where('slices.readyAt', '>', at)
        .select(['lines.priority', 'lines.caller'])
        .select(
          sql<number>`(slices.ready_at + ${sql.lit(minuteMs - 1)}) / ${sql.lit(minuteMs)}`.as(
            'minute',
          ),
        )
        .as('arrivals'),
    )
    .groupBy(['priority', 'caller', 'minute'])
    .orderBy('minute')
    .select(({ fn }) => ['priority', 'caller', 'minute', fn.countAll<number>().as('slices')])
    .execute();
  return rows.map(({ minute, ...row }) => ({ ...row, at: minute * minuteMs }));
}

/** The ranks of a job's first and last waiting slice in the queue of its caller, from 1 on. */
export interface Ranks {
  first: number;
  last: number;
}

/** Reads the ranks of a job in its own queue; `undefined` when none of its slices waits. */
export async function readRanks(
  queries: Queries,
  job: { id: string; target: string; caller: string; priority: number },
): Promise<Ranks | undefined> {
  const { firstAt, lastAt } = await queries
    .selectFrom('slices')
    .where('jobId', '=', job.id)
    .where('state', '=', 'waiting')
    .select(({ fn }) => [
      fn.min<number | null>('readyAt').as('firstAt'),
      fn.max<number | null>('readyAt').as('lastAt'),
    ])
    .executeTakeFirstOrThrow();
  if (firstAt === null || lastAt === null) return undefined;
  // Slices of a job that became ready at the same instant are neighbours in the queue.
  const { before, last } = await queries
    .selectFrom('slices')
    .where('target', '=', job.target)
    .where('priority', '=', job.priority)
    .where('caller', '=', job.caller)
    .where(whereWaiting)
    .where(({ eb, refTuple, tuple }) =>
      eb(refTuple('readyAt', 'jobId'), '<=', tuple(lastAt, job.id)),
    )
    .select(({ eb, fn, refTuple, tuple }) => [
      fn
        .countAll<number>()
        .filterWhere(eb(refTuple('readyAt', 'jobId'), '<', tuple(firstAt, job.id)))
        .as('before'),
      fn.countAll<number>().as('last'),
    ])
    .executeTakeFirstOrThrow();
  return { first: before + 1, last: Math.max(before + 1, last) };
}
