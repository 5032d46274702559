import { changeRanges } from '#coverage/ledger/put-range.ts';
import type { RangeFacts } from '#coverage/ledger/splice.ts';
import { startOf } from '#coverage/ledger/units.ts';
import type { Database, Queries } from '#database/database.ts';
import { readClock } from '#export-jobs/queue/read-queue.ts';
import { inChunks } from '#paging/in-chunks.ts';
import { dayMs } from '#time/durations.ts';
import type { Window } from '#time/window.ts';
import type { StoredArchive } from '../reads/read-archives.ts';

/** Covered time of an archive. */
interface CoveredTime extends Window {
  /** Null for all log groups. */
  logGroupNames: readonly string[] | null;
}

// Each takes some statements. More: on SQLite all other requests wait longer.
const logGroupsAtOnce = 20;

/** Marks covered time to be exported again, for a backfill. */
export function exportAgain(
  queries: Queries,
  archive: StoredArchive,
  time: CoveredTime,
): Promise<void> {
  return changeCovered(queries, archive, time, (known) => ({ ...known, again: 'backfill' }));
}

/**
 * Marks final partitions to be exported again, if a larger `refreshDays` makes late log events possible for them:
 * those whose end is less than `refreshDays` ago.
 */
export async function refreshAgain(
  queries: Queries,
  database: Database,
  archive: StoredArchive,
  refreshDays: number,
): Promise<void> {
  const { partitionBy, refreshDays: before } = archive.definition;
  if (refreshDays <= before) return;
  const now = await readClock({ ...database, queries });
  const fromAt = startOf(now - refreshDays * dayMs, partitionBy);
  const recent = { logGroupNames: null, fromAt, toAt: now };
  await changeCovered(queries, archive, recent, (known) => ({
    ...known,
    again: known.again ?? 'refresh',
  }));
}

/** Changes what is known of covered time. */
async function changeCovered(
  queries: Queries,
  { id: archiveId, definition }: StoredArchive,
  { logGroupNames, fromAt, toAt }: CoveredTime,
  change: (known: RangeFacts) => RangeFacts,
): Promise<void> {
  let select = queries
    .selectFrom('archiveRanges')
    .select(['logGroupName', 'incarnation'])
    .distinct()
    .where('archiveId', '=', archiveId)
    .where('state', '=', 'covered')
    .where('fromAt', '<', toAt)
    .where('toAt', '>', fromAt);
  if (logGroupNames) select = select.where('logGroupName', 'in', [...logGroupNames]);
  const groups = await select.orderBy('logGroupName').orderBy('incarnation').execute();
  const { partitionBy } = definition;
  for await (const chunk of inChunks(groups, logGroupsAtOnce)) {
    for (const key of chunk)
      await changeRanges(queries, { archiveId, ...key, partitionBy }, { fromAt, toAt }, (known) =>
        known?.state === 'covered' ? change(known) : known,
      );
  }
}
