import type { Selectable } from 'kysely';

import { changeRanges } from '#coverage/ledger/put-range.ts';
import type { RangeFacts } from '#coverage/ledger/splice.ts';
import type { Database, Queries } from '#database/database.ts';
import type { ArchiveWaiverRow } from '#database/rows/archive-rows.ts';
import type { Approval } from '#export-jobs/store/record-change.ts';
import { inDigits, statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import { commonPart } from '#time/window.ts';
import { isSelected } from '../../partitions/selection.ts';
import { makeWantedOf } from '../../partitions/wanted.ts';
import type { PlannedWaiver } from '../../planning/requests/read-waiver.ts';
import { readBackfills } from '../partitions/read-backfills.ts';
import type { StoredArchive } from '../reads/read-archives.ts';
import { changeArchive } from './change-archive.ts';

/**
 * Adds a waiver to an archive, in one transaction: what the archive wants in its time range and what is not
 * covered becomes `waived`. Returns its row. Later coverage replaces it.
 * @throws Problem archive-ended, nothing-to-waive, too-many-waivers
 */
export async function addWaiver(
  database: Database,
  archiveId: string,
  waiver: PlannedWaiver,
  approval: Approval,
): Promise<Selectable<ArchiveWaiverRow>> {
  const { logGroupName, reason } = waiver;
  let added: Selectable<ArchiveWaiverRow> | undefined;
  await changeArchive(database, archiveId, {
    type: 'archive-waived',
    logGroupName,
    reason,
    approval,
    async act(queries, archive) {
      added = await insertWaiver(queries, database, archiveId, waiver, approval);
      const isWaived = await waive(queries, archive, waiver, added.number);
      if (isWaived) return {};
      throw nothingToWaive(logGroupName);
    },
  });
  return added as Selectable<ArchiveWaiverRow>;
}

/** The problem of a log group without time to waive. */
export function nothingToWaive(logGroupName: string): Problem {
  const detail = `Log group ${logGroupName} has no time to waive in this time range.`;
  return new Problem('nothing-to-waive', detail);
}

async function insertWaiver(
  queries: Queries,
  database: Database,
  archiveId: string,
  waiver: PlannedWaiver,
  { request }: Approval,
): Promise<Selectable<ArchiveWaiverRow>> {
  const { last } = await queries
    .selectFrom('archiveWaivers')
    .where('archiveId', '=', archiveId)
    .select(({ fn }) => fn.max('number').as('last'))
    .executeTakeFirstOrThrow();
  const number = (last ?? 0) + 1;
  if (number > statedLimits.waiversPerArchive) {
    const limit = inDigits(statedLimits.waiversPerArchive);
    throw new Problem('too-many-waivers', `This archive has ${limit} waivers.`);
  }
  return queries
    .insertInto('archiveWaivers')
    .values({
      ...waiver,
      archiveId,
      number,
      caller: request.principal.id,
      at: database.now(),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Marks the time of a waiver in the ledger, of each incarnation. Returns whether there was any. */
async function waive(
  queries: Queries,
  { id: archiveId, definition }: StoredArchive,
  waiver: PlannedWaiver,
  number: number,
): Promise<boolean> {
  if (!isSelected(definition, waiver.logGroupName)) return false;
  const backfills = await readBackfills(queries, archiveId, waiver.logGroupName);
  const incarnations = await queries
    .selectFrom('archiveLogGroups')
    .selectAll()
    .where('archiveId', '=', archiveId)
    .where('logGroupName', '=', waiver.logGroupName)
    .orderBy('incarnation')
    .execute();
  const waived: RangeFacts = {
    state: 'waived',
    isEmpty: 0 as 0 | 1,
    again: null,
    cause: String(number),
  };
  const { partitionBy } = definition;
  const wantedOf = makeWantedOf(definition, backfills);
  let isWaived = false;
  const toWaived = (known: RangeFacts | null): RangeFacts => {
    if (known && known.state !== 'lost') return known;
    isWaived = true;
    return waived;
  };
  for (const incarnation of incarnations) {
    for (const wanted of wantedOf(incarnation)) {
      const window = commonPart(wanted, waiver);
      if (window) await changeRanges(queries, { ...incarnation, partitionBy }, window, toWaived);
    }
  }
  return isWaived;
}
