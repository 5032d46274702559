import type { Selectable } from 'kysely';

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
  const number = await nextBackfillNumber(queries, archiveId);
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

/** Returns the number that the next backfill of an archive gets. @throws Problem too-many-backfills */
export async function nextBackfillNumber(queries: Queries, archiveId: string): Promise<number> {
  const { last } = await queries
    .selectFrom('archiveBackfills')
    .where('archiveId', '=', archiveId)
    .select(({ fn }) => fn.max('number').as('last'))
    .executeTakeFirstOrThrow();
  const number = (last ?? 0) + 1;
  if (number <= statedLimits.backfillsPerArchive) return number;
  const limit = inDigits(statedLimits.backfillsPerArchive);
  throw new Problem('too-many-backfills', `This archive has had ${limit} backfills.`);
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
