import { sql } from 'kysely';

import type { Queries } from '#database/database.ts';
import type { Selection } from '../../partitions/selection.ts';
import { whereSelected } from '../log-groups/where-selected.ts';

/** A backfill of an archive, as the wanted time depends on it. */
export interface Backfill {
  number: number;
  /** Null: all log groups of the archive. */
  logGroupNames: readonly string[] | null;
  fromAt: number;
  toAt: number;
  order: 'oldest' | 'newest';
  endedAt: number | null;
}

/** Reads all backfills of an archive in the order of their requests. */
export async function readBackfills(queries: Queries, archiveId: string): Promise<Backfill[]> {
  const rows = await queries
    .selectFrom('archiveBackfills')
    .select(['number', 'logGroupNames', 'fromAt', 'toAt', 'serveOrder as order', 'endedAt'])
    .where('archiveId', '=', archiveId)
    .orderBy('number')
    .execute();
  return rows.map(({ logGroupNames, ...row }) => ({
    ...row,
    logGroupNames: logGroupNames && JSON.parse(logGroupNames),
  }));
}

/**
 * Ends the backfills of an archive that wait for no partition: none is left to export, for the first time or again.
 */
export async function endBackfills(
  queries: Queries,
  { id: archiveId, definition }: { id: string; definition: Selection },
  open: ReadonlySet<number>,
  at: number,
): Promise<void> {
  await queries
    .updateTable('archiveBackfills')
    .set({ endedAt: at })
    .where('archiveId', '=', archiveId)
    .where('endedAt', 'is', null)
    .where('number', 'not in', [0, ...open])
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('archiveRanges as ranges')
            .select('ranges.fromAt')
            .where('ranges.archiveId', '=', archiveId)
            .where('ranges.again', '=', 'backfill')
            .where(whereSelected(definition, 'ranges.logGroupName'))
            .whereRef('ranges.fromAt', '<', 'archiveBackfills.toAt')
            .whereRef('ranges.toAt', '>', 'archiveBackfills.fromAt')
            // A partition that is not tried again keeps no backfill open.
            .where((range) =>
              range(
                sql<number>`ranges.to_at - ranges.from_at`,
                '>',
                range
                  .selectFrom('archivePartitions as ended')
                  .select(sql<number>`coalesce(sum(ended.to_at - ended.from_at), 0)`.as('endedMs'))
                  .whereRef('ended.archiveId', '=', 'ranges.archiveId')
                  .whereRef('ended.logGroupName', '=', 'ranges.logGroupName')
                  .whereRef('ended.incarnation', '=', 'ranges.incarnation')
                  .whereRef('ended.fromAt', '>=', 'ranges.fromAt')
                  .whereRef('ended.toAt', '<=', 'ranges.toAt')
                  .where('ended.state', '=', 'missing')
                  .where('ended.retryAt', 'is', null),
              ),
            ),
        ),
      ),
    )
    .execute();
}
