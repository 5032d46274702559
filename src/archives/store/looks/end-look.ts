import type { Queries } from '#database/database.ts';
import type { ArchiveSummary } from '../../archive.ts';
import { never } from './claim-look.ts';

/** What a look leaves. Instants are epoch ms. */
interface LookEnd {
  archiveId: string;
  at: number;
  summary: ArchiveSummary;
  /** Whether callers can see a difference. */
  isChanged: boolean;
  /** When the next look is due at the latest; undefined if there will be none. */
  nextAt: number | undefined;
  heartbeatAt: number | null;
}

/**
 * Records what a look found. A change that happened during it keeps the next look due. Returns the version of the
 * archive.
 */
export async function recordLook(
  queries: Queries,
  { archiveId, at, summary, isChanged, nextAt, heartbeatAt }: LookEnd,
): Promise<number> {
  const { version } = await queries
    .updateTable('archives')
    .set((row) => ({
      summary: JSON.stringify(summary),
      lookedAt: at,
      heartbeatAt,
      version: row('version', '+', isChanged ? 1 : 0),
      lookDueAt:
        nextAt === undefined
          ? never
          : row.case().when('lookDueAt', '>', nextAt).then(nextAt).else(row.ref('lookDueAt')).end(),
    }))
    .where('id', '=', archiveId)
    .returning('version')
    .executeTakeFirstOrThrow();
  return version;
}
