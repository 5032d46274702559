import type { UpdateObject } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import type { Tables } from '#database/tables.ts';
import type { Approval } from '#export-jobs/store/record-change.ts';
import { Problem } from '#problems/problem.ts';
import { toDateTime } from '#time/date-time.ts';
import { findArchive, type StoredArchive } from '../reads/read-archives.ts';
import { type ArchiveChange, addArchiveEntry } from './record-archive-change.ts';

/** The columns that a change sets; undefined if nothing changes. */
type Change = UpdateObject<Tables, 'archives'> | undefined;

/** Who changes an archive, what it is, and how. */
interface ChangeRequest extends ArchiveChange {
  approval: Approval;
  /** Runs in the transaction, with the locked archive. */
  act: (queries: Queries, archive: StoredArchive) => Change | Promise<Change>;
}

/**
 * Changes an archive in one transaction, and makes the keeper look at it. Its version grows by one, and the
 * audit gets an entry, if anything changes.
 * @throws Problem archive-ended, or what `act` throws
 */
export function changeArchive(
  database: Database,
  archiveId: string,
  { approval, act, ...change }: ChangeRequest,
): Promise<void> {
  return database.transaction(async (queries) => {
    const archive = await lockArchive(queries, archiveId);
    if (change.type !== 'archive-ended') requireOpen(archive);
    const columns = await act(queries, archive);
    if (!columns) return;
    const { version } = await queries
      .updateTable('archives')
      .set((row) => ({ ...columns, version: row('version', '+', 1), lookDueAt: database.now() }))
      .where('id', '=', archiveId)
      .returning('version')
      .executeTakeFirstOrThrow();
    const entry = { ...archive.definition, id: archiveId, version, target: archive.target };
    await addArchiveEntry(queries, database, entry, change, approval);
  });
}

/** @throws Problem archive-ended */
export function requireOpen({ endedAt }: Pick<StoredArchive, 'endedAt'>): void {
  if (endedAt === null) return;
  throw new Problem('archive-ended', `This archive was ended at ${toDateTime(endedAt)}.`);
}

/** Locks the row of an archive until the transaction ends, by writing it unchanged. */
async function lockArchive(queries: Queries, archiveId: string): Promise<StoredArchive> {
  await queries
    .updateTable('archives')
    .set(({ ref }) => ({ version: ref('version') }))
    .where('id', '=', archiveId)
    .execute();
  // Archives are never deleted.
  return (await findArchive(queries, archiveId)) as StoredArchive;
}
