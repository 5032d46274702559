import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
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
 * Finds the destinations with pending deliveries, and whether the outbox has events, in one statement. It hops from
 * destination to destination in the index, so its cost does not grow with the deliveries.
 */
export async function findWork({ queries, now }: Database): Promise<DeliveryWork> {
  const { rows } = await sql<{ destination: string | null; caller: string; dueInMs: number }>`
    with recursive
    clock(instant) as (select ${now()}),
    hops(destination) as (
      select (
        select destination from deliveries where ${wherePending} order by destination limit 1
      )
      union all
      select (
        select deliveries.destination from deliveries
        where ${wherePending} and deliveries.destination > hops.destination
        order by deliveries.destination limit 1
      ) from hops where hops.destination is not null
    )
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

/** Whether a row of `deliveries` has not ended: a literal, so that the partial index fits. */
export const wherePending = sql<boolean>`deliveries.state = 'pending'`;
