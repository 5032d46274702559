import { type Selectable, sql } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import type { ArchiveBackfillRow } from '#database/rows/archive-rows.ts';
import type { Approval } from '#export-jobs/store/record-change.ts';
import { inDigits, statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import type { PlannedBackfill } from '../../planning/requests/read-backfill.ts';
import { changeArchive } from './change-archive.ts';
import { exportAgain } from './export-again.ts';

/**
 * Adds a backfill to an archive, in one transaction. Failed and covered partitions are marked to be exported
 * again, as it says. Returns its row.
 * @throws Problem archive-ended, too-many-backfills
 */
export async function addBackfill(
  database: Database,
  archiveId: string,
  backfill: PlannedBackfill,
  approval: Approval,
): Promise<Selectable<ArchiveBackfillRow>> {
  let added: Selectable<ArchiveBackfillRow> | undefined;
  await changeArchive(database, archiveId, {
    type: 'archive-backfill-requested',
    approval,
    async act(queries, archive) {
      added = await insertBackfill(queries, database, archiveId, backfill, approval);
      if (backfill.reprocess !== 'missing')
        await retryFailed(queries, database, archiveId, backfill);
      if (backfill.reprocess === 'all') await exportAgain(queries, archive, backfill);
      return {};
    },
  });
  return added as Selectable<ArchiveBackfillRow>;
}

async function insertBackfill(
  queries: Queries,
  database: Database,
  archiveId: string,
  { logGroupNames, fromAt, toAt, reprocess, order }: PlannedBackfill,
  { request }: Approval,
): Promise<Selectable<ArchiveBackfillRow>> {
  const number = await nextBackfillNumber(queries, archiveId, logGroupNames);
  return queries
    .insertInto('archiveBackfills')
    .values({
      archiveId,
      number,
      logGroupNames: logGroupNames && JSON.stringify(logGroupNames),
      fromAt,
      toAt,
      reprocess,
      serveOrder: order,
      requestedAt: database.now(),
      caller: request.principal.id,
      requestId: request.id,
      endedAt: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/**
 * Returns the number that the next backfill of an archive gets, with these names.
 * @throws Problem too-many-backfills
 */
export async function nextBackfillNumber(
  queries: Queries,
  archiveId: string,
  logGroupNames: readonly string[] | null,
): Promise<number> {
  const { backfillsPerArchive, backfillNamesPerArchive } = statedLimits;
  const { last, characters } = await queries
    .selectFrom('archiveBackfills')
    .where('archiveId', '=', archiveId)
    .select(({ fn }) => fn.max('number').as('last'))
    .select(sql<number | null>`sum(length(log_group_names))`.as('characters'))
    .executeTakeFirstOrThrow();
  const number = (last ?? 0) + 1;
  if (number > backfillsPerArchive) {
    const detail = `This archive has had ${inDigits(backfillsPerArchive)} backfills.`;
    throw new Problem('too-many-backfills', detail);
  }
  const added = logGroupNames ? JSON.stringify(logGroupNames).length : 0;
  if (added > 0 && Number(characters ?? 0) + added > backfillNamesPerArchive) {
    const limit = inDigits(backfillNamesPerArchive);
    const detail = `The names in the backfills of this archive would have more than ${limit} characters.`;
    throw new Problem('too-many-backfills', detail);
  }
  return number;
}

/** Makes failed partitions due at once, as if they had not failed before. */
async function retryFailed(
  queries: Queries,
  database: Database,
  archiveId: string,
  { logGroupNames, fromAt, toAt }: PlannedBackfill,
): Promise<void> {
  let update = queries
    .updateTable('archivePartitions')
    .set({ failures: 0, retryAt: database.now() })
    .where('archiveId', '=', archiveId)
    .where('state', '=', 'missing')
    .where('fromAt', '<', toAt)
    .where('toAt', '>', fromAt);
  if (logGroupNames) update = update.where('logGroupName', 'in', [...logGroupNames]);
  await update.execute();
}
