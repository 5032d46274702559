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

/**
 * The names of the queues of a target that have waiting slices. It hops from one to the next in the index of these
 * slices: the queues of callers whose slices have all ended cost nothing, and there are thousands of them.
 */
function queuedAt(target: string) {
  const whereOfTarget = sql`${whereWaiting} and slices.target = ${target}`;
  return sql<{ priority: number; caller: string }>`(
    with recursive
    priorities(priority) as (
      select (select priority from slices where ${whereOfTarget} order by priority limit 1)
      union all
      select (
        select slices.priority from slices where ${whereOfTarget} and slices.priority > priorities.priority
        order by slices.priority limit 1
      ) from priorities where priorities.priority is not null
    ),
    queued(priority, caller) as (
      select priority, (
        select caller from slices where ${whereOfTarget} and slices.priority = priorities.priority
        order by caller limit 1
      ) from priorities where priority is not null
      union all
      select priority, (
        select slices.caller from slices where ${whereOfTarget} and slices.priority = queued.priority
        and slices.caller > queued.caller order by slices.caller limit 1
      ) from queued where queued.caller is not null
    )
    select priority, caller from queued where caller is not null
  )`.as('queued');
}

/** The standings of the queues of a target that have waiting slices. */
export function waitingQueues(queries: Queries, target: string) {
  // Scalar subqueries: for a join PostgreSQL may read the rows of all queues.
  const ofLine = (column: string) => sql<number>`coalesce((
    select ${sql.ref(column)} from lines
    where lines.target = ${target} and lines.priority = queued.priority and lines.caller = queued.caller
  ), 0)`;
  return queries
    .selectFrom(queuedAt(target))
    .select([
      'queued.priority',
      'queued.caller',
      ofLine('lastTurn').as('lastServed'),
      ofLine('lastTenth').as('lastTenth'),
      ofLine('asideUntil').as('asideUntil'),
    ]);
}

/** Reads the standing of a queue, also of one that is not there yet: it begins with that of its caller. */
export async function readStanding(
  queries: Queries,
  target: string,
  { priority, caller }: Pick<QueueStanding, 'priority' | 'caller'>,
): Promise<QueueStanding> {
  const latest = (column: 'lastTenth' | 'asideUntil') =>
    sql<number>`coalesce(max(${sql.ref(column)}), 0)`.as(column);
  const standing = await queries
    .selectFrom('lines')
    .select([latest('lastTenth'), latest('asideUntil')])
    .select(
      sql<number>`coalesce(max(case when priority = ${priority} then last_turn end), 0)`.as(
        'lastServed',
      ),
    )
    .where('target', '=', target)
    .where('caller', '=', caller)
    .executeTakeFirstOrThrow();
  return { priority, caller, ...standing };
}

/** Counts the queues of a target that have waiting slices at a moment, the highest priority first. */
export async function readCallerQueues(
  database: Database,
  target: string,
  at: number,
): Promise<CountedQueue[]> {
  const queues = await waitingQueues(database.queries, target)
    .orderBy('queued.priority', 'desc')
    .orderBy('queued.caller')
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
      queries
        .selectFrom(queuedAt(target))
        .crossJoin('slices') // from a queue to its slices, on SQLite
        .where('slices.target', '=', target)
        .whereRef('slices.priority', '=', 'queued.priority')
        .whereRef('slices.caller', '=', 'queued.caller')
        .where(whereWaiting)
        .where('slices.readyAt', '>', at)
        .select(['queued.priority', 'queued.caller'])
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
