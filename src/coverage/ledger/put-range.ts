import type { Selectable } from 'kysely';

import type { Queries } from '#database/database.ts';
import type { ArchiveLogGroupRow } from '#database/rows/archive-rows.ts';
import { inChunks } from '#paging/in-chunks.ts';
import { partsOutside, type Window } from '#time/window.ts';
import { type ChangeOfFacts, type LedgerRange, type Splice, spliceRanges } from './splice.ts';
import { countUnits, type PartitionBy } from './units.ts';

/** An incarnation of a log group in the ledger of an archive. */
export type LedgerKey = Pick<ArchiveLogGroupRow, 'archiveId' | 'logGroupName' | 'incarnation'>;

type LogGroupRow = Selectable<ArchiveLogGroupRow>;

/** Whose ranges are changed, and by which unit their partitions are counted. */
export interface LedgerLogGroup extends LedgerKey {
  partitionBy: PartitionBy;
}

// SQLite accepts 32,766 parameters in a statement, and a range needs nine. Fewer: more statements. More: all
// other requests wait longer, because SQLite works on the thread of its caller.
const rangesPerStatement = 500;

/**
 * Locks the row of a log group until the transaction ends, by writing it unchanged. Every transaction that
 * changes ranges locks their log group first. The order of locks: job, archive, log group, ranges. Returns
 * undefined if the archive does not have this log group.
 */
export function lockLogGroup(queries: Queries, key: LedgerKey): Promise<LogGroupRow | undefined> {
  return queries
    .updateTable('archiveLogGroups')
    .set(({ ref }) => ({ seenAt: ref('seenAt') }))
    .where((row) => row.and(key))
    .returningAll()
    .executeTakeFirst();
}

/** Writes what is known of a window, over what was known. See `changeRanges`. */
export function putRange(
  queries: Queries,
  logGroup: LedgerLogGroup,
  { fromAt, toAt, ...facts }: LedgerRange,
): Promise<void> {
  return changeRanges(queries, logGroup, { fromAt, toAt }, () => facts);
}

/** Deletes what is known of a window. See `changeRanges`. */
export function clearRange(
  queries: Queries,
  logGroup: LedgerLogGroup,
  window: Window,
): Promise<void> {
  return changeRanges(queries, logGroup, window, () => null);
}

/**
 * Changes what is known of a window: each range, as far as it is in the window, and each gap between ranges on
 * its own. The counts of the log group change with the ranges. Call it in a transaction. It does nothing if the
 * archive does not have this log group.
 */
export async function changeRanges(
  queries: Queries,
  logGroup: LedgerLogGroup,
  window: Window,
  change: ChangeOfFacts,
): Promise<void> {
  const { archiveId, logGroupName, incarnation, partitionBy } = logGroup;
  const key = { archiveId, logGroupName, incarnation };
  const row = await lockLogGroup(queries, key);
  if (!row) return;
  const existing = await readRangesAt(queries, key, window);
  const splice = spliceRanges(existing, window, change);
  const { remove, insert } = splice;
  if (remove.length === 0 && insert.length === 0) return;
  for await (const gone of inChunks(remove, rangesPerStatement))
    await queries
      .deleteFrom('archiveRanges')
      .where((row) => row.and(key))
      .where(
        'fromAt',
        'in',
        gone.map(({ fromAt }) => fromAt),
      )
      .execute();
  for await (const added of inChunks(insert, rangesPerStatement))
    await queries
      .insertInto('archiveRanges')
      .values(added.map((range) => ({ ...key, ...range })))
      .execute();
  await queries
    .updateTable('archiveLogGroups')
    .set({
      doneUntilAt: moveDoneUntil(row.doneUntilAt, window, splice),
      ...countsAfter(row, splice, partitionBy),
    })
    .where((row) => row.and(key))
    .execute();
}

/** Reads the ranges that overlap or touch a window, in the order of time. */
async function readRangesAt(
  queries: Queries,
  key: LedgerKey,
  { fromAt, toAt }: Window,
): Promise<LedgerRange[]> {
  const ofLogGroup = queries.selectFrom('archiveRanges').where((row) => row.and(key));
  const before = await ofLogGroup
    .where('fromAt', '<', fromAt)
    .select(({ fn }) => fn.max('fromAt').as('fromAt'))
    .executeTakeFirst();
  const ranges = await ofLogGroup
    .select(['fromAt', 'toAt', 'state', 'isEmpty', 'again', 'cause'])
    .where('fromAt', '>=', before?.fromAt ?? fromAt)
    .where('fromAt', '<=', toAt)
    .orderBy('fromAt')
    .execute();
  return ranges.filter((range) => range.toAt >= fromAt);
}

/**
 * Moves the end of the time that is done. It is a lower bound: ranges that follow later in the ledger are not
 * read for it.
 */
function moveDoneUntil(
  doneUntilAt: number | null,
  { fromAt, toAt }: Window,
  { after }: Splice,
): number | null {
  if (doneUntilAt === null) return null;
  const [gap] = partsOutside({ fromAt, toAt: Math.min(toAt, doneUntilAt) }, after);
  if (gap) return gap.fromAt;
  let at = doneUntilAt;
  for (const range of after) if (range.fromAt <= at && at < range.toAt) at = range.toAt;
  return at;
}

type Counts = Pick<LogGroupRow, 'covered' | 'empty' | 'lost' | 'waived'>;

/** The number of partitions in each state after a change. */
function countsAfter(
  { covered, empty, lost, waived }: Counts,
  { remove, insert }: Splice,
  by: PartitionBy,
): Counts {
  const counts = { covered, empty, lost, waived };
  const add = (range: LedgerRange, sign: 1 | -1) => {
    const partitions = sign * countUnits(range, by);
    counts[range.state] += partitions;
    if (range.isEmpty === 1) counts.empty += partitions;
  };
  for (const range of remove) add(range, -1);
  for (const range of insert) add(range, 1);
  return counts;
}
