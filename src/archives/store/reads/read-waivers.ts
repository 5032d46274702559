import type { Selectable } from 'kysely';

import type { Queries } from '#database/database.ts';
import type { ArchiveWaiverRow } from '#database/rows/archive-rows.ts';

/** Reads waivers of an archive by their numbers. */
export async function readWaivers(
  queries: Queries,
  archiveId: string,
  numbers: readonly number[],
): Promise<Selectable<ArchiveWaiverRow>[]> {
  if (numbers.length === 0) return [];
  return queries
    .selectFrom('archiveWaivers')
    .selectAll()
    .where('archiveId', '=', archiveId)
    .where('number', 'in', [...new Set(numbers)])
    .execute();
}
