import { sql } from 'kysely';
import type { Database } from '#database/database.ts';
import { engineSql } from '#database/engine-sql.ts';
import { wherePending } from '../pending-deliveries.ts';

/** A delivery that this process has taken up: one try. Instants are epoch ms. */
export interface ClaimedDelivery {
  destination: string;
  eventId: string;
  /** The name of this claim, unlike that of any other. Only its owner records a result. */
  owner: string;
  /** The number of this try: 1, 2, 3, … A replay begins again with 1. */
  tries: number;
  type: string;
  jobId: string | null;
  archiveId: string | null;
  /** When the event happened. */
  at: number;
  body: string;
  /** When the try began, by the clock of the database. */
  triedAt: number;
}

/**
 * Takes up the delivery of a destination that has been due for longest, and leases it: it is due again when the
 * lease has ended. `undefined` when none is due.
 */
export async function claimDelivery(
  { queries, now, kind }: Database,
  { destination, owner, leaseMs }: { destination: string; owner: string; leaseMs: number },
): Promise<ClaimedDelivery | undefined> {
  const { rows } = await sql<ClaimedDelivery>`
    with next as materialized (
      select destination, event_id from deliveries
      where ${wherePending} and destination = ${destination} and due_at <= ${now()}
      order by due_at limit 1
      ${engineSql[kind].skipLocked}
    )
    update deliveries
    set owner = ${owner}, tries = tries + 1, tried_at = ${now()},
    leased_until = ${now()} + ${sql.lit(leaseMs)}, due_at = ${now()} + ${sql.lit(leaseMs)}
    from next
    where deliveries.destination = next.destination and deliveries.event_id = next.event_id
    returning deliveries.destination, deliveries.event_id, owner, tries, type, job_id, archive_id, at, body, tried_at
  `.execute(queries);
  return rows[0];
}
