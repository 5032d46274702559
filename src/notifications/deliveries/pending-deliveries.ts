import { sql } from 'kysely';

/** Whether a row of `deliveries` has not ended: a literal, so that the partial index fits. */
export const wherePending = sql<boolean>`deliveries.state = 'pending'`;

/**
 * The table `hops` of a recursive query: the destinations with pending deliveries, and a null. It hops from destination
 * to destination in the index, so its cost does not grow with the deliveries.
 */
export const hopsOverPending = sql`hops(destination) as (
  select (
    select destination from deliveries where ${wherePending} order by destination limit 1
  )
  union all
  select (
    select deliveries.destination from deliveries
    where ${wherePending} and deliveries.destination > hops.destination
    order by deliveries.destination limit 1
  ) from hops where hops.destination is not null
)`;
