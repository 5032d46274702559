import { sql } from 'kysely';

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
 *
 * It reads the archives that are due soon, and once those of their callers. Indexes find both.
 */
export async function hastenListing(
  { queries, now }: Database,
  { id, target }: Pick<KeptArchive, 'id' | 'target'>,
  { listEveryMs, soonMs }: ListingTimes,
): Promise<void> {
  // The next look becomes due before all that became due since it asked.
  // A cross join: SQLite keeps its order, and looks up the archives of each caller.
  await sql`
    with waiting as materialized (
      select id, caller, listed_at, created_at from archives
      where look_due_at <= ${now()} + ${sql.lit(soonMs)}
      and target = ${target} and id != ${id} and ended_at is null
      and (listed_at is null or listed_at <= ${now()} - ${sql.lit(listEveryMs)})
    ), callers as materialized (
      select distinct caller from waiting
    ), served as materialized (
      select own.caller, max(own.listed_at) as served_at from callers
      cross join archives as own where own.caller = callers.caller and own.target = ${target}
      group by own.caller
    ), next as materialized (
      select waiting.id from waiting join served on served.caller = waiting.caller
      order by coalesce(served_at, 0), coalesce(listed_at, 0), created_at limit 1
    )
    update archives set look_due_at = ${now()} - ${sql.lit(soonMs)}
    from next where archives.id = next.id
  `.execute(queries);
}
