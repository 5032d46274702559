import type { Updateable } from 'kysely';

import { gatewayItself } from '#audit/audit.ts';
import type { Database, Queries } from '#database/database.ts';
import type { AttemptRow, SliceRow } from '#database/tables.ts';
import { recordMiss, restoreFairShare } from '../../queue/fair-share.ts';
import { type SliceState, transitions } from '../../slice.ts';
import { type AuditContext, type JobChange, recordChange } from '../record-change.ts';
import type { ActiveSlice } from './active-slice.ts';
import { holdLease, type Lease } from './lease.ts';
import { staleState } from './stale-state.ts';

/** One step of a slice: where it goes, what is written of it and its attempt, and what is told. */
export interface Step {
  to: SliceState;
  slice?: Pick<Updateable<SliceRow>, 'failures' | 'misses' | 'problem'> & { readyInMs?: number };
  attempt: Pick<
    Updateable<AttemptRow>,
    'taskId' | 'taskCreatedAt' | 'taskCompletedAt' | 'outcome' | 'problem'
  >;
  change: JobChange;
  by: CallToAws;
  /** Of an attempt that led to no export: how long it kept the slot from others, in ms. */
  keptMs?: number;
  /** Whether the caller is first again among its equals, as if it had not had this turn. */
  isFairShareRestored?: boolean;
}

/** The call to AWS that led to a step: on behalf of the job's caller, or the gateway's own look. */
export interface CallToAws extends Pick<AuditContext, 'policies' | 'awsRequestId' | 'problem'> {
  action: 'CreateExportTask' | 'CancelExportTask' | 'DescribeExportTasks';
}

/** A slice, as far as a step of it is written down. */
export type SteppingSlice = Pick<
  ActiveSlice,
  | 'jobId'
  | 'slice'
  | 'attempt'
  | 'state'
  | 'caller'
  | 'marker'
  | 'logGroupName'
  | 'destinationPrefix'
>;

/**
 * Writes a step down, if the lease holds and the slice is still where it was read to be: the row
 * decides, not memory. A slice of a job whose cancel was asked for does not go back into the queue.
 * @throws an error named LeaseLost, or StaleState when the slice is not in that state any more
 */
export async function recordStep(
  database: Database,
  lease: Lease,
  leaseMs: number,
  active: SteppingSlice,
  { to, slice = {}, attempt, change, by, keptMs, isFairShareRestored = false }: Step,
  reachInside: () => Promise<void> = async () => {},
): Promise<void> {
  if (!transitions[active.state].includes(to)) {
    throw new Error(`A slice does not go from ${active.state} to ${to}`);
  }
  await database.transaction(async (queries) => {
    await holdLease(queries, database, lease, leaseMs);
    let state = to;
    const unlessCancelled = (isCancelRequested: boolean): JobChange => {
      if (to !== 'waiting' || !isCancelRequested) return change;
      state = 'cancelled';
      return { type: 'slice-cancelled', slice: active.slice, attempt: active.attempt };
    };
    await recordChange(
      queries,
      database,
      active.jobId,
      unlessCancelled,
      toCallAuditContext(active, by),
    );
    const { readyInMs, ...columns } = slice;
    const { numUpdatedRows } = await queries
      .updateTable('slices')
      .set((row) => ({
        state,
        ...columns,
        ...(readyInMs !== undefined && { readyAt: row(database.now(), '+', readyInMs) }),
      }))
      .where('jobId', '=', active.jobId)
      .where('number', '=', active.slice)
      .where('attempt', '=', active.attempt)
      .where('state', '=', active.state)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) throw staleState();
    const standing = { target: lease.target, caller: active.caller };
    if (keptMs !== undefined) await recordMiss(queries, database, standing, keptMs);
    if (state === 'waiting' && isFairShareRestored) await restoreFairShare(queries, active);
    await updateAttempt(queries, database, active, attempt);
    await reachInside();
  });
}

/** Keeps with a slice that is being started why its create was not answered, if the lease holds. */
export async function recordLostAnswer(
  database: Database,
  lease: Lease,
  leaseMs: number,
  active: Pick<ActiveSlice, 'jobId' | 'slice' | 'attempt'>,
  problem: string,
): Promise<void> {
  await database.transaction(async (queries) => {
    await holdLease(queries, database, lease, leaseMs);
    await updateAttempt(queries, database, active, { problem });
  });
}

/** Who did a call to AWS, and for what. */
export function toCallAuditContext(
  { caller, marker, logGroupName, destinationPrefix }: Omit<SteppingSlice, 'state'>,
  by: CallToAws,
): AuditContext {
  const principal = by.action === 'DescribeExportTasks' ? gatewayItself : caller;
  return { ...by, principal, requestId: marker, logGroupName, destinationPrefix };
}

async function updateAttempt(
  queries: Queries,
  database: Database,
  { jobId, slice, attempt }: Pick<ActiveSlice, 'jobId' | 'slice' | 'attempt'>,
  columns: Step['attempt'],
): Promise<void> {
  if (Object.keys(columns).length === 0) return;
  await queries
    .updateTable('attempts')
    .set({ ...columns, ...(columns.outcome !== undefined && { endedAt: database.now() }) })
    .where('jobId', '=', jobId)
    .where('slice', '=', slice)
    .where('attempt', '=', attempt)
    .execute();
}
