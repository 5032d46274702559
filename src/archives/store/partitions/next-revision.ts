import { type PartitionBy, startOf } from '#coverage/ledger/units.ts';
import type { Queries } from '#database/database.ts';
import type { Window } from '#time/window.ts';

/** A partition of an archive. */
export interface RevisedPartition extends Window {
  archiveId: string;
  logGroupName: string;
  partitionBy: PartitionBy;
}

/**
 * Finds the revision of the next export of a partition: above those of all exports that cover a part of its period,
 * also of an earlier log group of the same name. So no two exports have the same prefix.
 */
export async function nextRevision(
  queries: Queries,
  { archiveId, logGroupName, partitionBy, fromAt, toAt }: RevisedPartition,
): Promise<number> {
  const { latest } = await queries
    .selectFrom('coverage')
    .select(({ fn }) => fn.max<number | null>('revision').as('latest'))
    .where('archiveId', '=', archiveId)
    .where('logGroupName', '=', logGroupName)
    .where('fromAt', '>=', startOf(fromAt, partitionBy))
    .where('fromAt', '<', toAt)
    // A slice that had expired covers nothing: its row is at its end, in the next partition.
    .whereRef('fromAt', '<', 'toAt')
    .executeTakeFirstOrThrow();
  return (latest ?? 0) + 1;
}
