import type { Database } from '#database/database.ts';
import type { KeptArchive } from './claim-look.ts';

/** How archives wait for a listing, in ms. */
interface ListingTimes {
  /** After how long the log groups are listed again. */
  listEveryMs: number;
  /** How far ahead the next look at an archive that waits is at most. */
  soonMs: number;
}

/**
 * Makes the next look due at the archive that has waited for longest to list its log groups at the target of
 * `archive`, which has listed its own. One that failed to list does not wait: its next look is later.
 */
export async function hastenListing(
  { queries, now }: Database,
  archive: Pick<KeptArchive, 'id' | 'target'>,
  { listEveryMs, soonMs }: ListingTimes,
): Promise<void> {
  await queries
    .updateTable('archives')
    .set((row) => ({ lookDueAt: row(now(), '-', soonMs) })) // before all that became due since it asked
    .where('id', '=', (of) =>
      of
        .selectFrom('archives')
        .select('id')
        .where('target', '=', archive.target)
        .where('id', '!=', archive.id)
        .where('endedAt', 'is', null)
        .where((row) => row('lookDueAt', '<=', row(now(), '+', soonMs)))
        .where((row) =>
          row.or([
            row('listedAt', 'is', null),
            row('listedAt', '<=', row(now(), '-', listEveryMs)),
          ]),
        )
        .orderBy((row) => row.fn.coalesce(row('listedAt', '+', listEveryMs), 'createdAt'))
        .limit(1),
    )
    .execute();
}
