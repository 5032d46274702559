import { sql } from 'kysely';

import type { Database, Queries } from '#database/database.ts';
import { addOtherArchives } from '../../planning/load.ts';
import type { PlannedArchive } from '../../planning/plan-archive.ts';
import { refuseOverload } from '../../planning/plan-warnings.ts';

// Any other number that no lock of this service has. The second number is of the target.
const lockId = 1_095_910_216;

/**
 * Checks once more that the exports of an archive fit into the time of the slot, in the transaction that stores it.
 * Between planning and this, another archive of the target can have been stored. Concurrent transactions of a
 * target wait here, so that each counts those before it. SQLite has one transaction at a time.
 * @throws Problem archive-overload
 */
export async function requireSlotTime(
  queries: Queries,
  database: Pick<Database, 'kind'>,
  { load, definition }: Pick<PlannedArchive, 'load' | 'definition'>,
  place: { target: string; archiveId: string },
): Promise<void> {
  if (definition.isOverloadAllowed) return;
  if (database.kind === 'postgres')
    await sql`select pg_advisory_xact_lock(${lockId}, hashtext(${place.target}))`.execute(queries);
  refuseOverload(await addOtherArchives(queries, database, load, place), definition);
}
