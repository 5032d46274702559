import { type Selectable, sql } from 'kysely';

import { clearRange, putRange } from '#coverage/ledger/put-range.ts';
import type { PartitionBy } from '#coverage/ledger/units.ts';
import type { Queries } from '#database/database.ts';
import type { ArchiveLogGroupRow } from '#database/rows/archive-rows.ts';
import { commonPart } from '#time/window.ts';

/** A log group of an archive: its name, and its number among those of this name. */
export type Incarnation = Pick<
  Selectable<ArchiveLogGroupRow>,
  'archiveId' | 'logGroupName' | 'incarnation'
>;

/** An update of the row of an incarnation. */
export function ofIncarnation(
  queries: Queries,
  { archiveId, logGroupName, incarnation }: Incarnation,
) {
  return queries
    .updateTable('archiveLogGroups')
    .where('archiveId', '=', archiveId)
    .where('logGroupName', '=', logGroupName)
    .where('incarnation', '=', incarnation);
}

/** Records until when everything wanted of log groups of an archive is in the ledger, in one statement. */
export async function recordDone(
  queries: Queries,
  archiveId: string,
  done: readonly (Omit<Incarnation, 'archiveId'> & { doneUntilAt: number })[],
): Promise<void> {
  if (done.length === 0) return;
  const values = done.map(
    ({ logGroupName, incarnation, doneUntilAt }) =>
      sql`(cast(${logGroupName} as text), cast(${incarnation} as integer), cast(${doneUntilAt} as bigint))`,
  );
  await sql`
    with done(name, number, until_at) as (values ${sql.join(values)})
    update archive_log_groups set done_until_at = done.until_at from done
    where archive_id = ${archiveId} and log_group_name = done.name and incarnation = done.number
  `.execute(queries);
}

/**
 * Records that a log group was replaced by one that was created at an instant. Exports that were sent since then
 * are of the new one, so they cover nothing of the old one. Earlier exports of the same time count again.
 */
export async function replaceIncarnation(
  queries: Queries,
  { archiveId, logGroupName, incarnation }: Incarnation,
  partitionBy: PartitionBy,
  createdAt: number,
): Promise<void> {
  const key = { archiveId, logGroupName, incarnation };
  await ofIncarnation(queries, key)
    .set((row) => ({ goneAt: row.fn.coalesce('goneAt', row.val(createdAt)) }))
    .execute();
  const voided = await queries
    .updateTable('coverage')
    .set('isVoid', 1)
    .where((row) => row.and(key))
    .where('isVoid', '=', 0)
    .where('exportedAt', '>=', createdAt)
    .returning(['fromAt', 'toAt'])
    .execute();
  const logGroup = { ...key, partitionBy };
  for (const { fromAt, toAt } of voided) {
    await clearRange(queries, logGroup, { fromAt, toAt });
    const earlier = await queries
      .selectFrom('coverage')
      .select(['fromAt', 'toAt', 'isEmpty'])
      .where((row) => row.and(key))
      .where('isVoid', '=', 0)
      .where('fromAt', '<', toAt)
      .where('toAt', '>', fromAt)
      .orderBy('exportedAt')
      .execute();
    for (const { isEmpty, ...window } of earlier) {
      const part = commonPart(window, { fromAt, toAt });
      if (part) await putRange(queries, logGroup, { ...part, isEmpty, ...valid });
    }
  }
}

const valid = { state: 'covered', again: null, cause: null } as const;

/** Records that a log group that was missed is there after all: what counted as lost with it is not. */
export async function restoreIncarnation(
  queries: Queries,
  key: Incarnation,
  partitionBy: PartitionBy,
): Promise<void> {
  const lost = await queries
    .selectFrom('archiveRanges')
    .select(['fromAt', 'toAt'])
    .where('archiveId', '=', key.archiveId)
    .where('logGroupName', '=', key.logGroupName)
    .where('incarnation', '=', key.incarnation)
    .where('cause', '=', 'log-group-deleted')
    .execute();
  for (const window of lost) await clearRange(queries, { ...key, partitionBy }, window);
}
