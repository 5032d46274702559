import type { Updateable } from 'kysely';

import { gatewayItself } from '#audit/audit.ts';
import type { Database, Queries } from '#database/database.ts';
import type { AttemptRow, SliceRow } from '#database/tables.ts';
import { sliceEnds } from '#diagnostics/exports.ts';
import { problemsMet } from '#diagnostics/problems.ts';
import { recordMiss, restoreFairShare } from '../../queue/fair-share.ts';
import { isEnd, type SliceState, transitions } from '../../slice.ts';
import { insertChildren, type Split } from '../../splits/plan-split.ts';
import { lockJob } from '../lock-job.ts';
import { type AuditContext, type JobChange, recordChange } from '../record-change.ts';
import { failWaitingSlices, type SharedCause } from './fail-waiting-slices.ts';
import { holdLease, type Lease, type StepGuard } from './hold-lease.ts';
import type { ActiveSlice } from './read-active-slice.ts';
import { staleState } from './stale-state.ts';

/** A step of a slice: its next state, the new values of slice and attempt, and the change to record. */
export interface Step {
  to: SliceState;
  slice?: Pick<Updateable<SliceRow>, 'failures' | 'misses' | 'problem'> & { readyInMs?: number };
  attempt: Pick<
    Updateable<AttemptRow>,
    'taskId' | 'taskCreatedAt' | 'taskCompletedAt' | 'outcome' | 'problem' | 'awsError'
  >;
  change: JobChange;
  by: CallToAws;
  /** How long an attempt without an export kept the slot from others, in ms. */
  keptMs?: number;
  /** Whether the caller is first among its equals again, as if it had not been served. */
  isFairShareRestored?: boolean;
  /** The cause that waiting slices of its job share: they end in the same transaction. */
  sharedCause?: SharedCause;
  /** The children of a slice that is split. */
  split?: Split;
  /** Writes what belongs to the step, in its transaction. */
  alsoRecord?: (queries: Queries) => Promise<void>;
}

/**
 * The call to AWS that led to a step: on behalf of the job's caller, or a read of the gateway itself.
 */
export interface CallToAws
  extends Pick<AuditContext, 'policies' | 'awsRequestId' | 'problem' | 'manifestSha256'> {
  action: 'CreateExportTask' | 'CancelExportTask' | 'DescribeExportTasks' | 'VerifyExport';
  /** The id of the gateway if it decided about the call itself. Default: as the action says. */
  principal?: string;
}

/** What a step needs of a slice. */
export interface SteppingSlice
  extends Pick<
    ActiveSlice,
    'jobId' | 'slice' | 'attempt' | 'caller' | 'marker' | 'logGroupName' | 'destinationPrefix'
  > {
  state: SliceState;
}

/**
 * Records a step, if the guard permits it and the slice is still in the state that was read: the row
 * decides, not memory. If the cancel of the job was requested, a slice ends instead of going back into
 * the queue or being split, and one whose export is incomplete ends as cancelled. Returns how many waiting slices ended
 * with it.
 * @throws the error of the guard, or StaleState when the slice is no longer in that state
 */
export async function recordStep(
  database: Database,
  guard: StepGuard,
  active: SteppingSlice,
  step: Step,
  reachInside: () => Promise<void> = async () => {},
): Promise<number> {
  const { to, slice = {}, attempt, change, by, keptMs, isFairShareRestored = false } = step;
  const { sharedCause, split, alsoRecord } = step;
  if (!transitions[active.state].includes(to)) {
    throw new Error(`A slice cannot go from ${active.state} to ${to}`);
  }
  let state = to;
  let others = 0;
  await database.transaction(async (queries) => {
    await guard.hold(queries);
    const { cancelRequestedAt } = await lockJob(queries, active.jobId);
    const isExportedAgain = to === 'waiting' || to === 'split';
    const isLast = isExportedAgain || (to === 'failed' && active.state === 'verifying');
    const isCancelled = isLast && cancelRequestedAt !== null;
    state = isCancelled ? 'cancelled' : to;
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
    if (split && !isCancelled) await insertChildren(queries, database, active, split);
    await recordChange(
      queries,
      database,
      active.jobId,
      isCancelled
        ? { type: 'slice-cancelled', slice: active.slice, attempt: active.attempt }
        : change,
      toCallAuditContext(active, by),
    );
    if (keptMs !== undefined) {
      const served = { target: guard.target, caller: active.caller };
      await recordMiss(queries, database, served, keptMs);
    }
    if (state === 'waiting' && isFairShareRestored) await restoreFairShare(queries, active);
    await updateAttempt(queries, database, active, attempt);
    if (sharedCause) others = await failWaitingSlices(queries, database, active, sharedCause);
    await alsoRecord?.(queries);
    await reachInside();
  });
  if ('problem' in change) problemsMet.publish({ slug: change.problem });
  if (isEnd(state)) sliceEnds.publish({ target: guard.target, outcome: state, slices: 1 + others });
  return others;
}

/** Stores why the create of a slice has no answer, if the lease is valid. */
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

/** Makes the audit context of a call to AWS. */
export function toCallAuditContext(
  { caller, marker, logGroupName, destinationPrefix }: Omit<SteppingSlice, 'state'>,
  by: CallToAws,
): AuditContext {
  const isForCaller = by.action === 'CreateExportTask' || by.action === 'CancelExportTask';
  const principal = by.principal ?? (isForCaller ? caller : gatewayItself);
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
