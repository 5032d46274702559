import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
import { clockToleranceMs } from '#database/database-clock.ts';
import { wherePending } from './pending-deliveries.ts';

/**
 * Shortens the waits of pending deliveries, after the clock of the database was set back. A wait that seems to have
 * begun in the future begins now. Returns how many there were.
 */
export async function shortenDeliveryWaits({ queries, now, kind }: Database): Promise<number> {
  // Before its first try, a delivery has no reason to wait.
  const beganAt = sql`case when tries = 0 then due_at else tried_at end`;
  const { numAffectedRows } = await sql`
    with late as materialized (
      select destination, event_id, ${now()} as instant from deliveries
      where ${wherePending} and ${beganAt} > ${now()} + ${sql.lit(clockToleranceMs)}
      ${kind === 'postgres' ? sql`for update skip locked` : sql``}
    )
    update deliveries
    set due_at = instant + due_at - ${beganAt},
    tried_at = case when tries = 0 then tried_at else instant end
    from late
    where deliveries.destination = late.destination and deliveries.event_id = late.event_id
  `.execute(queries);
  return Number(numAffectedRows ?? 0);
}
