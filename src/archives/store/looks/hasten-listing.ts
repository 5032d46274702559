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
 * Makes the next look due at the archive that lists its log groups next at the target of `archive`, which has
 * listed its own. The caller who was served longest ago is first. Otherwise many large archives of one caller
 * delay the others for hours. Of the archives of a caller, it is the one that was listed longest ago. One that
 * failed to list does not wait: its next look is later.
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
        .selectFrom('archives as waiting')
        .select('waiting.id')
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
        .orderBy((row) =>
          row
            .selectFrom('archives as own')
            .select(({ fn, val }) => fn.coalesce(fn.max('own.listedAt'), val(0)).as('servedAt'))
            .where('own.target', '=', archive.target)
            .whereRef('own.caller', '=', 'waiting.caller'),
        )
        .orderBy(({ fn, val }) => fn.coalesce('listedAt', val(0)))
        .orderBy('createdAt')
        .limit(1),
    )
    .execute();
}
