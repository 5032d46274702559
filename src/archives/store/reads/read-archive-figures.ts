import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
import type { ArchiveState, ArchiveSummary, PartitionState } from '../../archive.ts';

/** What monitoring shows of an archive that has not ended. Instants are epoch ms. */
export interface ArchiveFigures {
  id: string;
  name: string;
  target: string;
  state: Exclude<ArchiveState, 'ended'>;
  /** Whether it is stopped, because of its destination or a missing permission. */
  isStopped: boolean;
  /** For how long its next look has been due; 0 if it is not. */
  lookOverdueMs: number;
  /** The number of partitions in each state; undefined before the first look. */
  partitions: Record<PartitionState, number> | undefined;
  watermarkAt: number | null;
  nextExpiryAt: number | null;
}

// A summary has half a kilobyte. Fewer: archives of a large company are not counted. More: a reading delays requests.
const maxArchives = 2_000;

/** Reads the figures of all archives that have not ended, up to 2,000: those whose look has been due longest. */
export async function readArchiveFigures({ queries, now }: Database): Promise<ArchiveFigures[]> {
  const rows = await queries
    .selectFrom('archives')
    .select(['id', 'name', 'target', 'pausedAt', 'stopProblem', 'lookDueAt', 'summary'])
    .select(sql<number>`${now()}`.as('at'))
    .where('endedAt', 'is', null)
    .orderBy('lookDueAt')
    .limit(maxArchives)
    .execute();
  return rows.map(({ pausedAt, stopProblem, lookDueAt, at, summary, ...row }) => {
    const found: ArchiveSummary | null = summary === null ? null : JSON.parse(summary);
    return {
      ...row,
      state: pausedAt === null ? (found?.state ?? 'behind') : 'paused',
      isStopped: stopProblem !== null,
      lookOverdueMs: Math.max(0, at - lookDueAt),
      partitions: found?.partitions,
      watermarkAt: found?.watermarkAt ?? null,
      nextExpiryAt: found?.nextExpiryAt ?? null,
    };
  });
}
