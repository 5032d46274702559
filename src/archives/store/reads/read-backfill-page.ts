import type { Selectable } from 'kysely';

import type { Queries } from '#database/database.ts';
import type { ArchiveBackfillRow } from '#database/rows/archive-rows.ts';

/** Reads a page of the backfills of an archive, the newest first, from below a number on. */
export async function readBackfillPage(
  queries: Queries,
  archiveId: string,
  { before, limit }: { before: number | undefined; limit: number },
): Promise<Selectable<ArchiveBackfillRow>[]> {
  return queries
    .selectFrom('archiveBackfills')
    .selectAll()
    .where('archiveId', '=', archiveId)
    .$if(before !== undefined, (query) => query.where('number', '<', before as number))
    .orderBy('number', 'desc')
    .limit(limit)
    .execute();
}
