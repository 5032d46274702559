import { createHash } from 'node:crypto';
import type { Selectable } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import type { ArchiveRow } from '#database/rows/archive-rows.ts';
import type { AgeCursor, ListPart } from '#paging/page.ts';
import type { ArchiveDefinition, ArchiveState, ArchiveSummary } from '../../archive.ts';

/** An archive as it is stored. */
export interface StoredArchive
  extends Pick<
    Selectable<ArchiveRow>,
    Exclude<(typeof columns)[number], 'definition' | 'summary'>
  > {
  definition: ArchiveDefinition;
  /** Identifies the definition and the name: equal texts have equal digests. */
  definitionDigest: string;
  summary: ArchiveSummary | null;
}

/** Which archives to list. */
export interface ArchiveFilter {
  /** Archives of all callers when absent. */
  caller?: string | undefined;
  target?: string | undefined;
  name?: string | undefined;
  /** Archives in all states when absent. */
  state?: ArchiveState | undefined;
  after?: AgeCursor | undefined;
  limit: number;
}

const columns = [
  'id',
  'target',
  'caller',
  'name',
  'definition',
  'idempotencyKey',
  'digest',
  'createdAt',
  'pausedAt',
  'pausedBy',
  'pauseReason',
  'endedAt',
  'version',
  'lookDueAt',
  'lookedAt',
  'owner',
  'leasedUntil',
  'looks',
  'listedAt',
  'stopProblem',
  'stopCheckAt',
  'trialAt',
  'heartbeatAt',
  'summary',
] as const;

/** Finds an archive by its id. */
export async function findArchive(
  queries: Queries,
  archiveId: string,
): Promise<StoredArchive | undefined> {
  const row = await queries
    .selectFrom('archives')
    .select(columns)
    .where('id', '=', archiveId)
    .executeTakeFirst();
  return row && toStored(row);
}

/** Reads a part of the list of archives, the newest first. */
export async function readArchivePart(
  { queries }: Database,
  { caller, target, name, state, after, limit }: ArchiveFilter,
): Promise<ListPart<StoredArchive>> {
  let query = queries.selectFrom('archives').select(columns);
  if (caller !== undefined) query = query.where('caller', '=', caller);
  if (target !== undefined) query = query.where('target', '=', target);
  if (name !== undefined) query = query.where('name', '=', name);
  if (state === 'ended') query = query.where('endedAt', 'is not', null);
  else if (state !== undefined) query = query.where('endedAt', 'is', null);
  if (after !== undefined) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('createdAt', 'id'), '<', tuple(after.at, after.id)),
    );
  }
  const rows = await query
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .limit(Math.min(limit, maxPerPart))
    .execute();
  const last = rows.length === Math.min(limit, maxPerPart) ? rows.at(-1) : undefined;
  const next = last && { at: last.createdAt, id: last.id };
  return { entries: rows.map(toStored), next };
}

// A definition can have a thousand names: half a megabyte. Fewer: a list takes more statements. More: other requests
// wait, and a hundred of them at once would exhaust the memory.
const maxPerPart = 5;

/** Reads the versions of archives. An archive that does not exist is left out. */
export async function readArchiveVersions(
  queries: Queries,
  archiveIds: readonly string[],
): Promise<Map<string, number>> {
  const rows = await queries
    .selectFrom('archives')
    .select(['id', 'version'])
    .where('id', 'in', archiveIds)
    .execute();
  return new Map(rows.map(({ id, version }) => [id, version]));
}

type ReadRow = Pick<Selectable<ArchiveRow>, (typeof columns)[number]>;

function toStored({ definition, summary, ...row }: ReadRow): StoredArchive {
  const hash = createHash('sha256').update(`${row.name}\n${definition}`);
  return {
    ...row,
    definition: JSON.parse(definition),
    definitionDigest: hash.digest('base64url').slice(0, 12),
    summary: summary === null ? null : JSON.parse(summary),
  };
}
