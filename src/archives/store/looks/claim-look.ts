import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { Principal } from '#auth/principal.ts';
import type { Database } from '#database/database.ts';
import { engineSql } from '#database/engine-sql.ts';
import type { ArchiveRow } from '#database/rows/archive-rows.ts';
import type { SliceProblem } from '#export-jobs/export-job.ts';
import type { ArchiveDefinition, ArchiveSummary } from '../../archive.ts';
import type { LookLease } from './hold-look.ts';

/** An archive as a look finds it. Instants are epoch ms. */
export interface KeptArchive
  extends Pick<
    Selectable<ArchiveRow>,
    | 'id'
    | 'target'
    | 'accountId'
    | 'region'
    | 'name'
    | 'version'
    | 'pausedAt'
    | 'endedAt'
    | 'listedAt'
    | 'stopCheckAt'
    | 'trialAt'
    | 'heartbeatAt'
  > {
  principal: Principal;
  definition: ArchiveDefinition;
  stopProblem: SliceProblem | null;
  summary: ArchiveSummary | null;
}

/** A look that this process has taken up. */
export interface ClaimedLook {
  lease: LookLease;
  archive: KeptArchive;
}

/** When an archive that has ended is looked at again: never. */
export const never = Number.MAX_SAFE_INTEGER;

/** How long a look is leased, and when the next one is due at the latest, in ms. */
interface LookTimes {
  leaseMs: number;
  lookEveryMs: number;
}

/**
 * Takes up the look at the archive that has been due for longest, and leases it. `undefined` when none is due
 * and free beside `except`.
 */
export async function claimLook(
  { queries, now, kind }: Database,
  owner: string,
  { leaseMs, lookEveryMs }: LookTimes,
  except: readonly string[],
): Promise<ClaimedLook | undefined> {
  const { rows } = await sql<{ archiveId: string; looks: number }>`
    with next as materialized (
      select id from archives where ${whereDue(now(), lookEveryMs)}
      ${except.length === 0 ? sql`` : sql`and id not in (${sql.join(except)})`}
      and (owner is null or leased_until <= ${now()} or leased_until > ${now()} + ${sql.lit(leaseMs)})
      order by look_due_at limit 1
      ${engineSql[kind].skipLocked}
    )
    update archives set owner = ${owner}, leased_until = ${now()} + ${sql.lit(leaseMs)},
    looks = looks + 1, look_due_at = ${now()} + ${sql.lit(lookEveryMs)}
    from next where archives.id = next.id returning archives.id as archive_id, looks
  `.execute(queries);
  const [claimed] = rows;
  if (!claimed) return undefined;
  const row = await queries
    .selectFrom('archives')
    .selectAll()
    .where('id', '=', claimed.archiveId)
    .executeTakeFirstOrThrow();
  return { lease: { ...claimed, owner }, archive: toKept(row) };
}

/** A time too far ahead counts as past: the clock of the database was set back. */
function whereDue(at: RawBuilder<number>, lookEveryMs: number): RawBuilder<boolean> {
  return sql<boolean>`(look_due_at <= ${at}
    or look_due_at > ${at} + ${sql.lit(2 * lookEveryMs)} and look_due_at < ${sql.lit(never)})`;
}

function toKept({ principal, definition, stopProblem, summary, ...row }: Selectable<ArchiveRow>) {
  const read = <Value>(json: string | null): Value | null => json && JSON.parse(json);
  return {
    ...row,
    principal: JSON.parse(principal) as Principal,
    definition: JSON.parse(definition) as ArchiveDefinition,
    stopProblem: read<SliceProblem>(stopProblem),
    summary: read<ArchiveSummary>(summary),
  };
}
