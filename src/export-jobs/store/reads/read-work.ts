import { sql } from 'kysely';

import type { Database } from '#database/database.ts';
import { clockToleranceMs } from '#database/database-clock.ts';
import { whereActive, whereWaiting } from '../slice-conditions.ts';
import { whereDue } from '../verifications/due-verifications.ts';

/** What there is to do at a target, and who holds its slot. Times are relative, in ms. */
export interface SlotWork {
  target: string;
  /** Until its first waiting slice is ready; negative since then. `null` when none is ready soon. */
  readyInMs: number | null;
  /** The job whose slice is in the slot. */
  activeJobId: string | null;
  /** Where its last owner worked it: the slice in the slot runs there. `null` without a row. */
  accountId: string | null;
  region: string | null;
  isCancelRequested: boolean;
  /** The owner of the lease, and how long it lasts; negative since its end. `null` without a lease. */
  owner: string | null;
  leaseLeftMs: number | null;
  /** The replicas that stood back from the slot and let others go first. */
  stoodBack: readonly string[];
}

/** The targets with work, and the replicas that are alive. */
export interface Work {
  slots: SlotWork[];
  replicas: string[];
  /** Whether an export is to be verified that no process works at. */
  isVerificationDue: boolean;
}

/** How long things count, in ms. */
export interface WorkLimits {
  leaseMs: number;
  /** A slice that is ready within this time counts as work. */
  soonMs: number;
  /** A target counts as work for this long after a create was sent. */
  sweepAfterSendMs: number;
}

/**
 * Finds all targets with work in one statement: with a slice in the slot, a slice that is ready, or a
 * create that was sent so recently that it can have left an orphan. A target also counts if its rows
 * show that the clock of the database was set back; its slices seem to be ready only later. It also shows
 * whether an export is to be verified.
 *
 * It hops from target to target in the index, so its cost grows with the targets that have waiting
 * slices, not with the slices.
 */
export async function readWork(
  { queries, now }: Database,
  { leaseMs, soonMs, sweepAfterSendMs }: WorkLimits,
): Promise<Work> {
  const { rows } = await sql<SlotRow | ReplicaRow>`
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
    first(target, ready_at) as materialized (
      select target, (
        select ready_at from slices where ${whereWaiting} and slices.target = queued.target
        order by ready_at limit 1
      ) from queued where target is not null
    ),
    found(target, ready_at) as (
      select target, ready_at from first, clock
      where ready_at <= at + ${sql.lit(soonMs)}
      or exists (
        select 1 from slices where ${whereWaiting} and slices.target = first.target
        and slices.ready_at = first.ready_at and not_before_at is null and attempt = 0
      )
      or exists (
        select 1 from slots where slots.target = first.target and leased_until > at
        + case when owner is null then ${sql.lit(clockToleranceMs)} else ${sql.lit(2 * leaseMs)} end
      )
      union all select target, null from slices where ${whereActive}
      union all select target, null from slots, clock where sent_at > at - ${sql.lit(sweepAfterSendMs)}
    ),
    busy(target, ready_at) as (select target, min(ready_at) from found group by target)
    select
      busy.target as target,
      ready_at - at as ready_in_ms,
      job_id as active_job_id,
      case when cancel_requested_at is null then 0 else 1 end as is_cancel_requested,
      account_id,
      region,
      owner,
      leased_until - at as lease_left_ms,
      (select string_agg(name, ',') from (
        select owner as name from stand_backs where stand_backs.target = busy.target and ends_at > at
        union select stood_back where stood_back_until > at
      ) as names) as stood_back
    from busy cross join clock
    left join slots on slots.target = busy.target
    left join (
      select slices.target, job_id, cancel_requested_at
      from slices join jobs on jobs.id = slices.job_id where ${whereActive}
    ) as active on active.target = busy.target
    union all
    select null, null, null, 0, null, null, owner, seen_at - at, null from replicas cross join clock
    where seen_at between at - ${sql.lit(leaseMs)} and at + ${sql.lit(leaseMs)}
    union all
    select null, null, null, 0, null, null, null, null, null from clock
    where exists (select 1 from verifications where ${whereDue(sql`clock.at`, leaseMs)})
  `.execute(queries);
  const slots = rows.filter((row): row is SlotRow => row.target !== null);
  return {
    slots: slots.map((row) => ({
      ...row,
      isCancelRequested: row.isCancelRequested === 1,
      stoodBack: row.stoodBack?.split(',') ?? [],
    })),
    replicas: rows.flatMap(({ target, owner }) => (target === null && owner ? [owner] : [])),
    isVerificationDue: rows.some(({ target, owner }) => target === null && owner === null),
  };
}

interface SlotRow extends Omit<SlotWork, 'isCancelRequested' | 'stoodBack'> {
  isCancelRequested: 0 | 1;
  /** Names of replicas, which have no commas, with commas between them. */
  stoodBack: string | null;
}
type ReplicaRow = Omit<SlotRow, 'target'> & { target: null };
