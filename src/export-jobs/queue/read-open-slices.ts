import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
import { whereActive, whereWaiting } from '../store/slice-conditions.ts';

/** The slices of a target that have not ended. */
export interface OpenSlicesOfTarget {
  target: string;
  /** Waiting slices that are ready later, and those that are ready. Each number is limited. */
  delayed: number;
  ready: number;
  /** For how long the first of them has been ready, in ms; 0 if none is. */
  oldestReadyMs: number;
  /** The state of the slice in the slot; null if there is none. */
  active: string | null;
  /** Slices whose exports are verified. */
  verifying: number;
  /** For how long the oldest of these verifications has been open, in ms; 0 if none is. */
  oldestVerificationMs: number;
  /** Whether the replica that works the slot sees a foreign task in it. */
  isHeldByOthers: boolean;
}

// How many slices are counted in each of the two states, over all targets, and at least in each of them.
// Other requests wait for SQLite meanwhile: ten thousand slices take about a millisecond. Fewer: the numbers
// of usual queues are wrong. More: long queues delay requests.
const maxCounted = 10_000;
const minCountedOfTarget = 10;

/**
 * Counts the open slices of all targets that have any, in one statement. It hops from target to target in
 * the index, and counts only up to a limit, which follows from the number of configured targets. So its cost
 * does not grow with the slices.
 */
export async function readOpenSlices(
  { queries, now }: Database,
  targets: number,
): Promise<OpenSlicesOfTarget[]> {
  // A literal, and an order below: otherwise PostgreSQL may read the whole table.
  const limit = sql.lit(
    Math.max(minCountedOfTarget, Math.floor(maxCounted / Math.max(1, targets))),
  );
  const { rows } = await sql<OpenSlicesRow>`
    with recursive
    clock(at) as (select ${now()}),
    queued(target) as (
      select (select target from slices where ${whereWaiting} order by target limit 1)
      union all
      select (
        select slices.target from slices where ${whereWaiting} and slices.target > queued.target
        order by slices.target limit 1
      ) from queued where queued.target is not null
    ),
    found(target) as materialized (select target from queued where target is not null)
    select
      target,
      (
        select count(*) from (
          select 1 from slices where ${whereWaiting} and slices.target = found.target and ready_at > at
          order by ready_at limit ${limit}
        ) as later
      ) as delayed,
      (
        select count(*) from (
          select 1 from slices where ${whereWaiting} and slices.target = found.target and ready_at <= at
          order by ready_at limit ${limit}
        ) as sooner
      ) as ready,
      (
        select at - ready_at from slices where ${whereWaiting} and slices.target = found.target
        order by ready_at limit 1
      ) as oldest_ready_ms,
      (select state from slices where ${whereActive} and slices.target = found.target) as active,
      0 as verifying,
      0 as oldest_verification_ms,
      (
        select count(*) from slots where slots.target = found.target
        and foreign_task_id is not null and leased_until > at
      ) as held_by_others
    from found cross join clock
    union all
    select target, 0, 0, 0, state, 0, 0, 0 from slices
    where ${whereActive} and target not in (select target from found)
    union all
    select target, 0, 0, 0, null, count(*), (select at from clock) - min(began_at), 0 from verifications
    where ended_at is null group by target
  `.execute(queries);
  return [...Map.groupBy(rows, ({ target }) => target)].map(([target, ofTarget]) => ({
    target,
    delayed: Math.max(...ofTarget.map(({ delayed }) => delayed)),
    ready: Math.max(...ofTarget.map(({ ready }) => ready)),
    oldestReadyMs: Math.max(...ofTarget.map((row) => row.oldestReadyMs ?? 0), 0),
    active: ofTarget.find(({ active }) => active !== null)?.active ?? null,
    verifying: Math.max(...ofTarget.map(({ verifying }) => verifying)),
    oldestVerificationMs: Math.max(...ofTarget.map((row) => row.oldestVerificationMs), 0),
    isHeldByOthers: ofTarget.some(({ heldByOthers }) => heldByOthers > 0),
  }));
}

/** The first slice may be ready only later, or may have been taken meanwhile. */
type OpenSlicesRow = Omit<OpenSlicesOfTarget, 'oldestReadyMs' | 'isHeldByOthers'> & {
  oldestReadyMs: number | null;
  heldByOthers: number;
};
