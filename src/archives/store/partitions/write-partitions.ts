import type { Insertable, Selectable, Updateable } from 'kysely';

import type { Queries } from '#database/database.ts';
import type { ArchivePartitionRow } from '#database/rows/archive-rows.ts';
import type { Window } from '#time/window.ts';

/** What identifies a partition in work: where it is, and its latest job. */
type PartitionInWork = Pick<
  Selectable<ArchivePartitionRow>,
  'archiveId' | 'logGroupName' | 'incarnation' | 'fromAt' | 'jobId'
>;

/** Writes a partition in work, in place of what is recorded of it. */
export async function putPartition(
  queries: Queries,
  partition: Insertable<ArchivePartitionRow>,
): Promise<void> {
  await queries
    .insertInto('archivePartitions')
    .values(partition)
    .onConflict((conflict) =>
      conflict
        .columns(['archiveId', 'logGroupName', 'incarnation', 'fromAt'])
        .doUpdateSet(partition),
    )
    .execute();
}

/** Changes a partition, if its job is still the same. Returns whether it was. */
export async function changePartition(
  queries: Queries,
  partition: PartitionInWork,
  columns: Updateable<ArchivePartitionRow>,
): Promise<boolean> {
  const { numUpdatedRows } = await queries
    .updateTable('archivePartitions')
    .set(columns)
    .where('archiveId', '=', partition.archiveId)
    .where('logGroupName', '=', partition.logGroupName)
    .where('incarnation', '=', partition.incarnation)
    .where('fromAt', '=', partition.fromAt)
    .where('jobId', 'is not distinct from', partition.jobId)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Deletes a partition, if its job is still the same: it is no longer in work. */
export async function deletePartition(queries: Queries, partition: PartitionInWork): Promise<void> {
  await queries
    .deleteFrom('archivePartitions')
    .where('archiveId', '=', partition.archiveId)
    .where('logGroupName', '=', partition.logGroupName)
    .where('incarnation', '=', partition.incarnation)
    .where('fromAt', '=', partition.fromAt)
    .where('jobId', 'is not distinct from', partition.jobId)
    .execute();
}

/** Shrinks a failed partition to the part that is left of it. Its job exported more, so it cannot be retried. */
export async function shrinkPartition(
  queries: Queries,
  row: Selectable<ArchivePartitionRow>,
  rest: Window | undefined,
): Promise<void> {
  await deletePartition(queries, row);
  if (!rest) return;
  await queries
    .insertInto('archivePartitions')
    .values({ ...row, ...rest, jobId: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
