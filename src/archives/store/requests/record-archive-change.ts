import type { Action } from '#auth/authorization/action.ts';
import type { Database, Queries } from '#database/database.ts';
import type { Approval } from '#export-jobs/store/record-change.ts';

/** A change of an archive that a caller requested. */
export interface ArchiveChange {
  type:
    | 'archive-created'
    | 'archive-changed'
    | 'archive-paused'
    | 'archive-resumed'
    | 'archive-ended'
    | 'archive-backfill-requested'
    | 'archive-waived';
  /** The reason that the caller gave. */
  reason?: string;
  logGroupName?: string;
}

/** The values of an archive that an audit entry has. */
interface ChangedArchive {
  id: string;
  version: number;
  target: string;
  destination: string;
  destinationPrefix: string;
}

/** Writes the audit entry of a change of an archive, in the transaction of the change. */
export async function addArchiveEntry(
  queries: Queries,
  { now }: Pick<Database, 'now'>,
  { id, version, target, destination, destinationPrefix }: ChangedArchive,
  { type, reason, logGroupName }: ArchiveChange,
  { request, policies }: Approval,
): Promise<void> {
  const action: Action = type === 'archive-created' ? 'CreateArchive' : 'ChangeArchive';
  await queries
    .insertInto('auditEntries')
    .values({
      at: now(),
      archiveId: id,
      version,
      change: type,
      principal: request.principal.id,
      action,
      requestId: request.id,
      policies: JSON.stringify(policies),
      target,
      destination,
      destinationPrefix,
      outcome: 'ok',
      reason: reason ?? null,
      logGroupName: logGroupName ?? null,
    })
    .execute();
}
