import type { Selectable } from 'kysely';

import type { LedgerRange } from '#coverage/ledger/splice.ts';
import type { Queries } from '#database/database.ts';
import type { ArchiveLogGroupRow } from '#database/rows/archive-rows.ts';
import type { Window } from '#time/window.ts';
import { keyOf, type LogGroupCursor } from './read-ledger.ts';

/** A log group of an archive, with what is known of a window. All in the order of time. */
export interface LogGroupInWindow extends Selectable<ArchiveLogGroupRow> {
  ranges: LedgerRange[];
  /** Failed partitions. */
  failed: Window[];
}

/** Which log groups to read, and of which window. */
interface WindowQuery extends Window {
  archiveId: string;
  /** Null: all of them. */
  logGroupNames: readonly string[] | null;
}

// More: a log group can have a range for each partition of the window, and other requests wait. Fewer: more
// statements.
const logGroupsPerPage = 100;

/** Yields the log groups of an archive page by page, ordered by name, with what is known of a window. */
export async function* readLogGroupsInWindow(
  queries: Queries,
  query: WindowQuery,
): AsyncGenerator<LogGroupInWindow[]> {
  const { archiveId, logGroupNames } = query;
  for (let after: LogGroupCursor = { logGroupName: '', incarnation: 0 }; ; ) {
    let select = queries.selectFrom('archiveLogGroups').selectAll();
    if (logGroupNames) select = select.where('logGroupName', 'in', [...logGroupNames]);
    const { logGroupName, incarnation } = after;
    const groups = await select
      .where('archiveId', '=', archiveId)
      .where(({ eb, refTuple, tuple }) =>
        eb(refTuple('logGroupName', 'incarnation'), '>', tuple(logGroupName, incarnation)),
      )
      .orderBy('logGroupName')
      .orderBy('incarnation')
      .limit(logGroupsPerPage)
      .execute();
    const [first] = groups;
    const last = groups.at(-1);
    if (!first || !last) return;
    yield await withWindow(queries, query, groups, [first.logGroupName, last.logGroupName]);
    if (groups.length < logGroupsPerPage) return;
    after = last;
  }
}

async function withWindow(
  queries: Queries,
  { archiveId, fromAt, toAt }: WindowQuery,
  groups: readonly Selectable<ArchiveLogGroupRow>[],
  [first, last]: [string, string],
): Promise<LogGroupInWindow[]> {
  const ranges = await queries
    .selectFrom('archiveRanges')
    .selectAll()
    .where('archiveId', '=', archiveId)
    .where('logGroupName', '>=', first)
    .where('logGroupName', '<=', last)
    .where('fromAt', '<', toAt)
    .where('toAt', '>', fromAt)
    .orderBy('fromAt')
    .execute();
  const failed = await queries
    .selectFrom('archivePartitions')
    .selectAll()
    .where('archiveId', '=', archiveId)
    .where('state', '=', 'missing')
    .where('logGroupName', '>=', first)
    .where('logGroupName', '<=', last)
    .where('fromAt', '<', toAt)
    .where('toAt', '>', fromAt)
    .orderBy('fromAt')
    .execute();
  const [rangesOf, failedOf] = [Map.groupBy(ranges, keyOf), Map.groupBy(failed, keyOf)];
  return groups.map((group) => ({
    ...group,
    ranges: rangesOf.get(keyOf(group)) ?? [],
    failed: failedOf.get(keyOf(group)) ?? [],
  }));
}
