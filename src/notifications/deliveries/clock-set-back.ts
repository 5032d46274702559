import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Database } from '#database/database.ts';
import { clockToleranceMs } from '#database/database-clock.ts';
import { engineSql } from '#database/engine-sql.ts';
import { wherePending } from './pending-deliveries.ts';

// In one statement. More: other requests wait for SQLite. Fewer: more statements.
const maxAtOnce = 1_000;

/** A place in the index of pending deliveries. */
interface PendingPlace {
  destination: string;
  dueAt: number;
  eventId: string;
}

/**
 * Shortens the waits of pending deliveries, after the clock of the database was set back. A wait that seems to have
 * begun in the future begins now. It reads them in the order of an index, in parts, with a turn of the event loop
 * before each. Returns how many there were.
 */
export async function shortenDeliveryWaits(database: Database): Promise<number> {
  let after: PendingPlace = { destination: '', dueAt: 0, eventId: '' };
  for (let shortened = 0; ; ) {
    await setImmediate();
    const last = await findLastOfPart(database, after);
    shortened += await shortenPart(database, after, last);
    if (!last) return shortened;
    after = last;
  }
}

/** Finds the last delivery of the part after a place; undefined if that is the last part. */
async function findLastOfPart(
  { queries }: Database,
  after: PendingPlace,
): Promise<PendingPlace | undefined> {
  const { rows } = await sql<PendingPlace>`
    select destination, due_at, event_id from deliveries where ${wherePending} and ${whereAfter(after)}
    order by destination, due_at, event_id limit 1 offset ${sql.lit(maxAtOnce - 1)}
  `.execute(queries);
  return rows[0];
}

/** Shortens the waits of a part. A delivery that it has moved is before the next part, or is right. */
async function shortenPart(
  { queries, now, kind }: Database,
  after: PendingPlace,
  last: PendingPlace | undefined,
): Promise<number> {
  // Before its first try, a delivery has no reason to wait.
  const beganAt = sql`case when tries = 0 then due_at else tried_at end`;
  const { numAffectedRows } = await sql`
    with late as materialized (
      select destination, event_id, ${now()} as instant from deliveries
      where ${wherePending} and ${whereAfter(after)}
      ${last ? sql`and (destination, due_at, event_id) <= ${placeOf(last)}` : sql``}
      and ${beganAt} > ${now()} + ${sql.lit(clockToleranceMs)}
      ${engineSql[kind].skipLocked}
    )
    update deliveries
    set due_at = instant + due_at - ${beganAt},
    tried_at = case when tries = 0 then tried_at else instant end
    from late
    where deliveries.destination = late.destination and deliveries.event_id = late.event_id
  `.execute(queries);
  return Number(numAffectedRows ?? 0);
}

const whereAfter = (place: PendingPlace) =>
  sql`(destination, due_at, event_id) > ${placeOf(place)}`;

const placeOf = ({ destination, dueAt, eventId }: PendingPlace) =>
  sql`(${destination}, ${dueAt}, ${eventId})`;
