import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
import { hopsOverPending, wherePending } from './pending-deliveries.ts';
import type { Receiver } from './turns.ts';

/** A destination with pending deliveries. */
export interface PendingDestination extends Receiver {
  /** In how many ms the first of them is due; 0 or less if it is. */
  dueInMs: number;
}

/** What there is to do. */
export interface DeliveryWork {
  /** Whether events are in the outbox. */
  hasEvents: boolean;
  destinations: PendingDestination[];
}

/**
 * Finds the destinations with pending deliveries, and whether the outbox has events, in one statement.
 */
export async function findWork({ queries, now }: Database): Promise<DeliveryWork> {
  const { rows } = await sql<{ destination: string | null; caller: string; dueInMs: number }>`
    with recursive
    clock(instant) as (select ${now()}),
    ${hopsOverPending}
    select destination, coalesce((
      select caller from webhook_endpoints where id = destination
    ), destination) as caller, (
      select due_at - instant from deliveries where ${wherePending} and deliveries.destination = hops.destination
      order by due_at limit 1
    ) as due_in_ms from hops cross join clock where destination is not null
    union all
    select null, '', 0 where exists (select 1 from notification_events)
  `.execute(queries);
  return {
    hasEvents: rows.some(({ destination }) => destination === null),
    destinations: rows.flatMap(({ destination, ...row }) =>
      destination === null ? [] : [{ destination, ...row }],
    ),
  };
}
