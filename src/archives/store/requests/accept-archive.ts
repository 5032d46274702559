import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Database, Queries } from '#database/database.ts';
import type { KeyUse } from '#export-jobs/store/requests/idempotency-key.ts';
import { statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import type { PlannedArchive } from '../../planning/plan-archive.ts';
import { addArchiveEntry } from './record-archive-change.ts';
import { requireSlotTime } from './require-slot-time.ts';

/** What accepting an archive needs. */
export interface ArchiveAcceptance {
  archiveId: string;
  /** The request of its caller. Each export is decided for this principal before it is sent. */
  request: CallerRequest;
  target: string;
  /** When its planning began, by the database's clock. */
  createdAt: number;
  keyUse: KeyUse | undefined;
  plan: PlannedArchive;
}

/**
 * Stores an archive in one transaction, and returns its id. When its key already has an archive, it writes
 * nothing and returns the id of that archive.
 * @throws Problem idempotency-key-reused, too-many-archives, archive-overload
 */
export async function acceptArchive(
  database: Database,
  acceptance: ArchiveAcceptance,
): Promise<string> {
  try {
    return await database.transaction((queries) => writeArchive(queries, database, acceptance));
  } catch (failure) {
    // Perhaps only the answer to COMMIT was lost: then the archive exists.
    const isLost = failure instanceof Problem && failure.slug === 'database-unavailable';
    if (isLost && (await archiveExists(database, acceptance.archiveId)))
      return acceptance.archiveId;
    throw failure;
  }
}

async function archiveExists({ queries }: Database, archiveId: string): Promise<boolean> {
  const query = queries.selectFrom('archives').select('id').where('id', '=', archiveId);
  return query.executeTakeFirst().then(Boolean, () => false);
}

async function writeArchive(
  queries: Queries,
  database: Database,
  { archiveId: id, request, target, createdAt, keyUse, plan }: ArchiveAcceptance,
): Promise<string> {
  const { principal } = request;
  const caller = principal.id;
  // Concurrent requests of a caller wait here: they have the same key, or count one another.
  await queries
    .insertInto('callers')
    .values({ id: caller })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ id: caller }))
    .execute();
  const known = keyUse && (await findArchiveOfKey(queries, caller, keyUse));
  if (known !== undefined) return known;
  await requireRoomForArchive(queries, caller);
  await requireSlotTime(queries, database, plan, { target, archiveId: id });

  const { name, definition, logGroups, policies } = plan;
  await queries
    .insertInto('archives')
    .values({
      id,
      target,
      caller,
      principal: JSON.stringify(principal),
      name,
      definition: JSON.stringify(definition),
      idempotencyKey: keyUse?.key ?? null,
      digest: keyUse?.digest ?? null,
      createdAt,
      pausedAt: null,
      pausedBy: null,
      pauseReason: null,
      endedAt: null,
      lookDueAt: database.now(),
      lookedAt: null,
      owner: null,
      listedAt: null,
      logGroupCount: logGroups.length,
      stopProblem: null,
      stopCheckAt: null,
      trialAt: null,
      heartbeatAt: null,
      summary: null,
    })
    .execute();
  const entry = { ...definition, id, version: 1, target };
  await addArchiveEntry(
    queries,
    database,
    entry,
    { type: 'archive-created' },
    { request, policies },
  );
  return id;
}

/**
 * Finds the archive of a caller's key; `undefined` when the key is new.
 * @throws Problem idempotency-key-reused, when the key came with another request
 */
export async function findArchiveOfKey(
  queries: Queries,
  caller: string,
  { key, digest }: KeyUse,
): Promise<string | undefined> {
  const known = await queries
    .selectFrom('archives')
    .select(['id', 'digest'])
    .where('caller', '=', caller)
    .where('idempotencyKey', '=', key)
    .executeTakeFirst();
  if (known && known.digest !== digest) {
    const detail = 'This key was used before with a different body or target.';
    throw new Problem('idempotency-key-reused', detail);
  }
  return known?.id;
}

/** Requires that a caller may have one more archive. @throws Problem too-many-archives */
export async function requireRoomForArchive(queries: Queries, caller: string): Promise<void> {
  const { archives } = await queries
    .selectFrom('archives')
    .where('caller', '=', caller)
    .where('endedAt', 'is', null)
    .select(({ fn }) => fn.countAll<number>().as('archives'))
    .executeTakeFirstOrThrow();
  if (archives < statedLimits.archivesPerCaller) return;
  throw new Problem(
    'too-many-archives',
    `You have ${statedLimits.archivesPerCaller} archives that have not ended, which is the limit.`,
  );
}
