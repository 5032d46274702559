import { type Selectable, sql } from 'kysely';

import type { LedgerRange } from '#coverage/ledger/splice.ts';
import { nextStart, type PartitionBy } from '#coverage/ledger/units.ts';
import type { Database } from '#database/database.ts';
import type { ArchiveLogGroupRow } from '#database/rows/archive-rows.ts';
import type { Window } from '#time/window.ts';
import type { PartitionWork } from '../../partitions/runs.ts';
import { keyOf, type LogGroupCursor } from '../log-groups/read-ledger.ts';

/** An instant after all others. Infinity is no number of JSON or of a database. */
export const endOfTime = Date.UTC(9_000, 0);

/** A place in the ledger of an archive: an instant of a log group, or the end of one. */
export interface LedgerPosition extends LogGroupCursor {
  at: number;
}

/** Which part of the ledger of an archive to read. */
export interface LedgerWindowQuery {
  archiveId: string;
  partitionBy: PartitionBy;
  /** Default: all log groups. */
  logGroupName: string | undefined;
  window: Window;
  /** Where to begin. Default: at the first log group. */
  from: LedgerPosition | undefined;
  maxLogGroups: number;
  /** The most ranges, and the most partitions in work. */
  maxPieces: number;
}

/** What is known of a log group in a window, in the order of time. */
export interface LogGroupPart {
  logGroup: Selectable<ArchiveLogGroupRow>;
  /** The part of the window that was read. */
  window: Window;
  ranges: LedgerRange[];
  work: PartitionWork[];
}

/** A part of the ledger. */
export interface LedgerWindow {
  /** By the clock of the database. */
  now: number;
  logGroups: LogGroupPart[];
  /** Where the rest begins; undefined if there is none. */
  next: LedgerPosition | undefined;
}

/** Reads what is known of the log groups of an archive in a window, ordered by name and incarnation. */
export async function readLedgerWindow(
  database: Database,
  query: LedgerWindowQuery,
): Promise<LedgerWindow> {
  const { maxLogGroups, maxPieces, from } = query;
  const window = { ...query.window, toAt: Math.min(query.window.toAt, endOfTime) };
  const { now, logGroups } = await readLogGroups(database, query);
  const last = logGroups.at(-1);
  if (!last) return { now, logGroups: [], next: undefined };
  // The last partition can go on after the window. Its end decides whether it is due.
  const whole = { fromAt: window.fromAt, toAt: nextStart(window.toAt - 1, query.partitionBy) };
  const ranges = await readRanges(database, { ...query, window: whole });
  const work = await readWork(database, { ...query, window: whole });
  const order = new Map(logGroups.map((logGroup, index) => [keyOf(logGroup), index]));
  const isLess = (one: LogGroupCursor & Window, other: LogGroupCursor & Window) => {
    const [first = 0, second = 0] = [order.get(keyOf(one)), order.get(keyOf(other))];
    return first === second ? one.fromAt < other.fromAt : first < second;
  };
  // The first piece that is one too many is known, so what is before it is known as a whole.
  const [range, row] = [ranges[maxPieces], work[maxPieces]];
  const cut = range && row ? (isLess(range, row) ? range : row) : (range ?? row);
  const read = cut ? logGroups.slice(0, 1 + (order.get(keyOf(cut)) ?? 0)) : logGroups;
  const rangesOf = Map.groupBy(ranges, keyOf);
  const workOf = Map.groupBy(work, keyOf);
  const isWhole = logGroups.length < maxLogGroups;
  const rest = isWhole ? undefined : { ...positionOf(last), at: endOfTime };
  return {
    now,
    logGroups: read.map((logGroup) => {
      const key = keyOf(logGroup);
      return {
        logGroup,
        window: {
          fromAt: from && key === keyOf(from) ? Math.max(from.at, window.fromAt) : window.fromAt,
          toAt: cut && key === keyOf(cut) ? Math.min(cut.fromAt, window.toAt) : window.toAt,
        },
        ranges: rangesOf.get(key) ?? [],
        work: workOf.get(key) ?? [],
      };
    }),
    next: cut ? { ...positionOf(cut), at: cut.fromAt } : rest,
  };
}

const positionOf = ({ logGroupName, incarnation }: LogGroupCursor) => ({
  logGroupName,
  incarnation,
});

/** The log groups of a part of the ledger. */
function logGroupsOf(
  { queries }: Pick<Database, 'queries'>,
  { archiveId, logGroupName, from, maxLogGroups }: LedgerWindowQuery,
) {
  return queries
    .selectFrom('archiveLogGroups')
    .where('archiveId', '=', archiveId)
    .$if(logGroupName !== undefined, (query) =>
      query.where('logGroupName', '=', logGroupName as string),
    )
    .where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('logGroupName', 'incarnation'),
        from?.at === endOfTime ? '>' : '>=',
        tuple(from?.logGroupName ?? '', from?.incarnation ?? 0),
      ),
    )
    .orderBy('logGroupName')
    .orderBy('incarnation')
    .limit(maxLogGroups);
}

async function readLogGroups(database: Database, query: LedgerWindowQuery) {
  const rows = await logGroupsOf(database, query)
    .selectAll()
    .select(database.now().as('now'))
    .execute();
  const [first] = rows;
  return { now: first?.now ?? 0, logGroups: rows.map(({ now: _, ...logGroup }) => logGroup) };
}

/** Reads the ranges that meet the window, and one that ends before it for some log groups. */
function readRanges(database: Database, query: LedgerWindowQuery) {
  const { from, window } = query;
  const whereFirst = from
    ? sql<boolean>`log_group_name = ${from.logGroupName} and incarnation = ${from.incarnation}`
    : sql<boolean>`1 = 0`;
  const firstAt = sql<number>`cast(${Math.max(from?.at ?? 0, window.fromAt)} as bigint)`;
  const windowAt = sql<number>`cast(${window.fromAt} as bigint)`;
  return database.queries
    .with('page', () =>
      logGroupsOf(database, query)
        .select(['archiveId', 'logGroupName', 'incarnation'])
        .select(
          sql<number>`case when ${whereFirst} then ${firstAt} else ${windowAt} end`.as('beginAt'),
        ),
    )
    .with(
      (cte) => cte('starts').materialized(),
      (queries) =>
        queries
          .selectFrom('page')
          .selectAll('page')
          .select(({ selectFrom }) =>
            selectFrom('archiveRanges as earlier')
              .whereRef('earlier.archiveId', '=', 'page.archiveId')
              .whereRef('earlier.logGroupName', '=', 'page.logGroupName')
              .whereRef('earlier.incarnation', '=', 'page.incarnation')
              .whereRef('earlier.fromAt', '<=', 'page.beginAt')
              .select(({ fn }) => fn.max('earlier.fromAt').as('fromAt'))
              .as('rangeAt'),
          ),
    )
    .selectFrom('starts')
    .innerJoin('archiveRanges as ranges', (on) =>
      on
        .onRef('ranges.archiveId', '=', 'starts.archiveId')
        .onRef('ranges.logGroupName', '=', 'starts.logGroupName')
        .onRef('ranges.incarnation', '=', 'starts.incarnation')
        .on(({ eb, fn, ref }) =>
          eb('ranges.fromAt', '>=', fn.coalesce(ref('starts.rangeAt'), ref('starts.beginAt'))),
        ),
    )
    .selectAll('ranges')
    .where('ranges.fromAt', '<', window.toAt)
    .orderBy('ranges.logGroupName')
    .orderBy('ranges.incarnation')
    .orderBy('ranges.fromAt')
    .limit(query.maxPieces + 1)
    .execute();
}

/** Reads the partitions in work that meet the window. */
async function readWork(database: Database, query: LedgerWindowQuery) {
  const { archiveId, from, window } = query;
  const rows = await database.queries
    .with(
      (cte) => cte('page').materialized(),
      () => logGroupsOf(database, query).select(['logGroupName', 'incarnation']),
    )
    .selectFrom('page')
    .innerJoin('archivePartitions as work', (on) =>
      on
        .onRef('work.logGroupName', '=', 'page.logGroupName')
        .onRef('work.incarnation', '=', 'page.incarnation')
        .on('work.archiveId', '=', archiveId),
    )
    .select(['work.logGroupName', 'work.incarnation', 'work.fromAt', 'work.toAt', 'work.state'])
    .select(['work.jobId', 'work.problem', 'work.retryAt'])
    .select(({ exists, selectFrom }) =>
      exists(
        selectFrom('slices')
          .select('slices.number')
          .whereRef('slices.jobId', '=', 'work.jobId')
          .where('slices.state', '!=', 'waiting'),
      ).as('isBegun'),
    )
    .where('work.fromAt', '<', window.toAt)
    .where('work.toAt', '>', window.fromAt)
    .$if(from !== undefined, (rows) =>
      rows.where(({ not, and }) =>
        not(
          and([
            sql<boolean>`work.log_group_name = ${from?.logGroupName}`,
            sql<boolean>`work.incarnation = ${from?.incarnation}`,
            sql<boolean>`work.to_at <= ${from?.at}`,
          ]),
        ),
      ),
    )
    .orderBy('work.logGroupName')
    .orderBy('work.incarnation')
    .orderBy('work.fromAt')
    .limit(query.maxPieces + 1)
    .execute();
  return rows.map(({ isBegun, ...row }) => ({ ...row, isRunning: Boolean(isBegun) }));
}
