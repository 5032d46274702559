import { type Selectable, sql } from 'kysely';

import type { LedgerRange } from '#coverage/ledger/splice.ts';
import type { Queries } from '#database/database.ts';
import type { ArchiveLogGroupRow, ArchivePartitionRow } from '#database/rows/archive-rows.ts';

/** A partition whose export failed. */
export type MissingPartition = Selectable<ArchivePartitionRow>;

/** A log group of an archive, with what is open in its ledger. All in the order of time. */
export interface LogGroupLedger extends Selectable<ArchiveLogGroupRow> {
  /** The ranges that do not end before `doneUntilAt`. */
  ranges: LedgerRange[];
  /** The start of its first time that is lost and not waived; null if none is. */
  firstLostAt: number | null;
  /** The ranges that are exported again, if one of its partitions is in work. */
  again: LedgerRange[];
  missing: MissingPartition[];
}

// More: one that has never been read to its end can have a range for each of its partitions, and other requests
// wait. Fewer: more statements for each look.
const logGroupsPerPage = 100;

/** The place of a log group in the order of names and incarnations. */
export type LogGroupCursor = Pick<ArchiveLogGroupRow, 'logGroupName' | 'incarnation'>;

/** Which log groups to read, and what of their ledgers. */
interface LedgerQuery {
  archiveId: string;
  after: LogGroupCursor | undefined;
  /** The names of the log groups with partitions in the queue. */
  inWork: ReadonlySet<string>;
  /** Whether ranges before `doneUntilAt` are read, too. */
  isWhole: boolean;
}

/** Reads the next log groups of an archive with their ledgers, ordered by name and incarnation. */
export async function readLedgerPage(
  queries: Queries,
  { archiveId, after, inWork, isWhole }: LedgerQuery,
): Promise<LogGroupLedger[]> {
  const groups = await queries
    .selectFrom('archiveLogGroups')
    .selectAll()
    .select(firstLostAt)
    .where('archiveId', '=', archiveId)
    .where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('logGroupName', 'incarnation'),
        '>',
        tuple(after?.logGroupName ?? '', after?.incarnation ?? 0),
      ),
    )
    .orderBy('logGroupName')
    .orderBy('incarnation')
    .limit(logGroupsPerPage)
    .execute();
  const [first] = groups;
  const last = groups.at(-1);
  if (!first || !last) return [];
  const names = { archiveId, from: first.logGroupName, to: last.logGroupName };
  // Before the ranges: a partition that is covered between the two must not look as if it were never tried.
  const rows = await readMissing(queries, names);
  const ranges = Map.groupBy(await readRanges(queries, names, isWhole), keyOf);
  const missing = Map.groupBy(rows, keyOf);
  // By name: texts have another order in PostgreSQL than here.
  const worked = groups.map(nameOf).filter((name) => inWork.has(name));
  const again = Map.groupBy(
    await readAgain(queries, archiveId, new Set([...worked, ...rows.map(nameOf)])),
    keyOf,
  );
  return groups.map((group) => ({
    ...group,
    ranges: ranges.get(keyOf(group)) ?? [],
    again: again.get(keyOf(group)) ?? [],
    missing: missing.get(keyOf(group)) ?? [],
  }));
}

// One look-up in an index for each log group with a loss, however many ranges are lost.
const firstLostAt = sql<number | null>`case when lost > 0 then (
  select min(ranges.from_at) from archive_ranges as ranges
  where ranges.archive_id = archive_log_groups.archive_id and ranges.state = 'lost'
  and ranges.log_group_name = archive_log_groups.log_group_name
  and ranges.incarnation = archive_log_groups.incarnation
) end`.as('firstLostAt');

/** The first and the last name of a page. */
interface PageNames {
  archiveId: string;
  from: string;
  to: string;
}

// A cross join: SQLite keeps its order, and looks up the ranges of each log group in their key. Otherwise it reads
// all ranges of the archive for each page.
function readRanges(queries: Queries, { archiveId, from, to }: PageNames, isWhole: boolean) {
  return queries
    .selectFrom('archiveLogGroups as groups')
    .crossJoin('archiveRanges as ranges')
    .selectAll('ranges')
    .where('groups.archiveId', '=', archiveId)
    .where('groups.logGroupName', '>=', from)
    .where('groups.logGroupName', '<=', to)
    .where('ranges.archiveId', '=', archiveId)
    .whereRef('ranges.logGroupName', '=', 'groups.logGroupName')
    .whereRef('ranges.incarnation', '=', 'groups.incarnation')
    .$if(!isWhole, (query) => query.where(whereOpen))
    .orderBy('groups.logGroupName')
    .orderBy('groups.incarnation')
    .orderBy('ranges.fromAt')
    .execute();
}

const whereOpen = sql<boolean>`ranges.from_at >= coalesce(groups.done_until_at, ${sql.lit(Number.MIN_SAFE_INTEGER)})`;

function readMissing(queries: Queries, { archiveId, from, to }: PageNames) {
  return queries
    .selectFrom('archivePartitions')
    .selectAll()
    .where('archiveId', '=', archiveId)
    .where('logGroupName', '>=', from)
    .where('logGroupName', '<=', to)
    .where('state', '=', 'missing')
    .orderBy('fromAt')
    .execute();
}

async function readAgain(queries: Queries, archiveId: string, logGroupNames: Set<string>) {
  if (logGroupNames.size === 0) return [];
  return queries
    .selectFrom('archiveRanges')
    .selectAll()
    .where('archiveId', '=', archiveId)
    .where('logGroupName', 'in', [...logGroupNames])
    .where('again', 'is not', null)
    .orderBy('fromAt')
    .execute();
}

const nameOf = ({ logGroupName }: Pick<ArchiveLogGroupRow, 'logGroupName'>) => logGroupName;

/** A text that identifies an incarnation within its archive. */
export function keyOf({ logGroupName, incarnation }: LogGroupCursor): string {
  return `${logGroupName} ${incarnation}`;
}
