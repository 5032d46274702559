import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
import { webhooksAreInUse } from '../outbox/sinks-in-use.ts';
import { hopsOverPending, wherePending } from './pending-deliveries.ts';
import type { Receiver } from './turns.ts';

/** A destination with pending deliveries. */
export interface PendingDestination extends Receiver {
  /** In how many ms the first of them is due; 0 or less if it is. */
  dueInMs: number;
  /** Whether it gets no more: an endpoint that was deleted or disabled, or what no replica sends to. */
  isClosed: boolean;
}

/** What there is to do. */
export interface DeliveryWork {
  /** The time by the clock of the database, as epoch ms. */
  now: number;
  /** Whether events are in the outbox. */
  hasEvents: boolean;
  destinations: PendingDestination[];
}

/**
 * Finds the destinations with pending deliveries, and whether the outbox has events, in one statement.
 */
export async function findWork({ queries, now }: Database): Promise<DeliveryWork> {
  const { rows } = await sql<WorkRow>`
    with recursive
    clock(instant) as (select ${now()}),
    ${hopsOverPending}
    select destination, coalesce((
      select caller from webhook_endpoints where id = destination
    ), destination) as caller, (
      select count(*) from webhook_endpoints where id = destination and disabled_at is null and ${webhooksAreInUse}
    ) + (
      select count(*) from notification_sinks as sinks where sinks.destination = hops.destination
    ) as open, (
      select due_at from deliveries where ${wherePending} and deliveries.destination = hops.destination
      order by due_at limit 1
    ) as due_at, instant, 0 as events from hops cross join clock where destination is not null
    union all
    select null, '', 0, instant, instant, (select count(*) from (select 1 from notification_events limit 1) as found)
    from clock
  `.execute(queries);
  const outbox = rows.find(({ destination }) => destination === null) as WorkRow;
  return {
    now: outbox.instant,
    hasEvents: outbox.events > 0,
    destinations: rows.flatMap(({ destination, caller, open, dueAt, instant }) =>
      destination === null
        ? []
        : [{ destination, caller, dueInMs: dueAt - instant, isClosed: open === 0 }],
    ),
  };
}

/** A destination with pending deliveries, or the outbox: there is always one row of it, without a destination. */
interface WorkRow {
  destination: string | null;
  caller: string;
  /** 0 if the destination gets no more. */
  open: number;
  /** When the first delivery is due, as epoch ms. */
  dueAt: number;
  /** The time by the clock of the database, as epoch ms. */
  instant: number;
  /** 1 if the outbox has events. */
  events: number;
}
