import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { Queries } from '#database/database.ts';
import type { CoverageRow } from '#database/rows/coverage-row.ts';
import { dayMs } from '#time/durations.ts';
import { commonPart, type Window } from '#time/window.ts';

/** A log group, by the account and the Region that it is in. */
export type PlacedLogGroup = Pick<CoverageRow, 'accountId' | 'region' | 'logGroupName'>;

/** An export that covers a time range of a log group. */
export interface CoverageEntry extends Omit<Selectable<CoverageRow>, 'isVoid'> {
  /** From when on it proves something: its start, or the creation of its log group if that is later. */
  coveredFromAt: number;
}

/** The place of an entry in the order of time. */
export type CoveragePosition = Pick<CoverageRow, 'fromAt' | 'jobId' | 'slice'>;

// Exports that begin before a window can reach into it. Those of at most this length are looked for that far
// before it; the few longer ones have an index of their own, with the same number.
const longMs = 31 * dayMs;
const whereLong = sql<boolean>`to_at - from_at > ${sql.lit(longMs)}`;
const whereShort = sql<boolean>`to_at - from_at <= ${sql.lit(longMs)}`;

/**
 * From when on an export proves something: from the latest creation of its log group before it was sent. It has no
 * log events of an earlier log group of this name. Every archive of the account and Region can know of a creation
 * after a deletion. They are looked up once for each log group, not for each export.
 */
async function readCoveredFrom(
  queries: Queries,
  { accountId, region, logGroupName }: PlacedLogGroup,
): Promise<RawBuilder<number>> {
  const again = await queries
    .selectFrom('archives')
    .innerJoin('archiveLogGroups as created', 'created.archiveId', 'archives.id')
    .select('created.createdAt')
    .distinct()
    .where((row) => row.and({ accountId, region, logGroupName }))
    .where('incarnation', '>', 1)
    .orderBy('created.createdAt', 'desc')
    .limit(maxCreations)
    .execute();
  if (again.length === 0) return sql<number>`from_at`;
  const cases = again.map(
    ({ createdAt }) =>
      sql`when exported_at >= ${createdAt} then case when from_at < ${createdAt} then ${createdAt} else from_at end`,
  );
  return sql<number>`case ${sql.join(cases, sql` `)} else from_at end`;
}

// Fewer: exports before them count for time before their creation. More: longer statements.
const maxCreations = 100;

/**
 * Reads the exports that cover a part of a window of a log group, in the order of their start, after a position.
 */
export async function readEntries(
  queries: Queries,
  logGroup: PlacedLogGroup,
  { fromAt, toAt }: Window,
  { after, limit }: { after: CoveragePosition | undefined; limit: number },
): Promise<CoverageEntry[]> {
  const { accountId, region, logGroupName } = logGroup;
  const coveredFrom = await readCoveredFrom(queries, logGroup);
  const read = (first: number, length: RawBuilder<boolean>) =>
    queries
      .selectFrom('coverage')
      .selectAll()
      .select(coveredFrom.as('coveredFromAt'))
      .where((row) => row.and({ accountId, region, logGroupName }))
      .where('isVoid', '=', 0)
      .where('fromAt', '>=', Math.max(first, after?.fromAt ?? first))
      .where('fromAt', '<', toAt)
      .where('toAt', '>', fromAt)
      .where(coveredFrom, '<', toAt)
      .where(({ eb, ref }) => eb(coveredFrom, '<', ref('toAt')))
      .where(length)
      .$if(after !== undefined, (query) => query.where(whereAfter(after as CoveragePosition)))
      .orderBy('fromAt')
      .orderBy('jobId')
      .orderBy('slice')
      .limit(limit)
      .execute();
  const entries = [...(await read(fromAt - longMs, whereShort)), ...(await read(0, whereLong))];
  return entries.sort(byPosition).slice(0, limit);
}

const whereAfter = ({ fromAt, jobId, slice }: CoveragePosition) =>
  sql<boolean>`(from_at, job_id, slice) > (${fromAt}, ${jobId}, ${slice})`;

function byPosition(one: CoveragePosition, other: CoveragePosition): number {
  if (one.fromAt !== other.fromAt) return one.fromAt - other.fromAt;
  if (one.jobId !== other.jobId) return one.jobId < other.jobId ? -1 : 1;
  return one.slice - other.slice;
}

/**
 * Reads the parts of a window of a log group that exports cover, merged, the oldest first, up to a limit.
 */
export async function readCoveredParts(
  queries: Queries,
  logGroup: PlacedLogGroup,
  window: Window,
  limit: number,
): Promise<Window[]> {
  const { accountId, region, logGroupName } = logGroup;
  const coveredFrom = await readCoveredFrom(queries, logGroup);
  const { fromAt, toAt } = window;
  const windows = (first: number, length: RawBuilder<boolean>) => sql`
    select ${coveredFrom} as from_at, to_at from coverage
    where account_id = ${accountId} and region = ${region} and log_group_name = ${logGroupName}
    and from_at >= ${first} and from_at < ${toAt} and to_at > ${fromAt} and is_void = 0 and ${length}`;
  const { rows } = await sql<Window>`
    with windows as (
      ${windows(fromAt - longMs, whereShort)} union all ${windows(0, whereLong)}
    ), ordered as (
      select from_at, to_at, max(to_at) over (
        order by from_at, to_at rows between unbounded preceding and 1 preceding
      ) as known_until from windows where from_at < to_at
    ), numbered as (
      select from_at, to_at, count(case when known_until >= from_at then null else 1 end) over (
        order by from_at, to_at rows unbounded preceding
      ) as part from ordered
    )
    select min(from_at) as from_at, max(to_at) as to_at from numbered
    group by part order by part limit ${limit}`.execute(queries);
  return rows.flatMap((part) => commonPart(part, window) ?? []);
}

/** Finds which of the entries are superseded: a later revision of their archive covers their whole time range. */
export async function findSuperseded(
  queries: Queries,
  { logGroupName }: PlacedLogGroup,
  entries: readonly CoverageEntry[],
): Promise<ReadonlySet<CoverageEntry>> {
  const ofArchives = entries.filter(({ archiveId }) => archiveId !== null);
  if (ofArchives.length === 0) return new Set();
  const later = await queries
    .selectFrom('coverage')
    .select(['archiveId', 'incarnation', 'revision', 'jobId', 'fromAt', 'toAt'])
    .where('archiveId', 'in', [...new Set(ofArchives.flatMap(({ archiveId }) => archiveId ?? []))])
    .where('logGroupName', '=', logGroupName)
    .where('revision', '>', 1)
    .where('isVoid', '=', 0)
    // No partition is longer.
    .where('fromAt', '>=', Math.min(...ofArchives.map(({ fromAt }) => fromAt)) - longMs)
    .where('fromAt', '<', Math.max(...ofArchives.map(({ toAt }) => toAt)))
    .execute();
  const jobs = [...Map.groupBy(later, ({ jobId }) => jobId).values()];
  const isSuperseded = (entry: CoverageEntry) =>
    jobs.some(([first, ...others]) => {
      if (!first || first.revision <= entry.revision) return false;
      if (first.archiveId !== entry.archiveId || first.incarnation !== entry.incarnation)
        return false;
      const parts = [first, ...others].map((slice) => commonPart(slice, entry));
      const coveredMs = parts.reduce((ms, part) => ms + (part ? part.toAt - part.fromAt : 0), 0);
      return coveredMs === entry.toAt - entry.fromAt;
    });
  return new Set(ofArchives.filter(isSuperseded));
}
