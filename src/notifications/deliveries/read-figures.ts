import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
import { hopsOverPending, wherePending } from './pending-deliveries.ts';
import { kindOf } from './tries/send-delivery.ts';

/** What monitoring shows of the notifications of one kind of destination. */
export interface NotificationFigures {
  destination: 'outbox' | 'webhook' | 'sns' | 'event-bus';
  /** Events in the outbox, or deliveries that have not ended. Counted up to a limit. */
  pending: number;
  /** How long ago the oldest of these events happened, in ms; 0 if there is none. */
  oldestMs: number;
}

// Of one destination, and of the outbox. Fewer: usual backlogs are wrong. More: long backlogs delay requests.
const maxCounted = 1_000;

/** Reads the figures of the outbox, and of all destinations with pending deliveries, in one statement. */
export async function readNotificationFigures({
  queries,
  now,
}: Database): Promise<NotificationFigures[]> {
  const limit = sql.lit(maxCounted);
  const { rows } = await sql<{ destination: string | null; pending: number; oldestMs: number }>`
    with recursive
    clock(instant) as (select ${now()}),
    ${hopsOverPending}
    select destination, (
      select count(*) from (
        select 1 from deliveries where ${wherePending} and deliveries.destination = hops.destination
        limit ${limit}
      ) as counted
    ) as pending, (
      select instant - min(at) from deliveries
      where ${wherePending} and deliveries.destination = hops.destination
    ) as oldest_ms
    from hops cross join clock where destination is not null
    union all
    select null,
      (select count(*) from (select 1 from notification_events limit ${limit}) as counted),
      coalesce((select instant - at from notification_events order by at limit 1), 0)
    from clock
  `.execute(queries);
  const named = rows.map(({ destination, ...row }) => ({
    ...row,
    destination: destination === null ? ('outbox' as const) : kindOf(destination),
  }));
  return [...Map.groupBy(named, ({ destination }) => destination)].map(([destination, all]) => ({
    destination,
    pending: all.reduce((sum, { pending }) => sum + pending, 0),
    oldestMs: Math.max(0, ...all.map(({ oldestMs }) => oldestMs)),
  }));
}
