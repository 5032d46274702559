import { gatewayItself } from '#audit/audit.ts';
import type { ExportTaskStatusCode } from '#aws/export-task.ts';
import { attemptCalls } from '#diagnostics/exports.ts';
import type { Problem } from '#problems/problem.ts';
import { recordCall } from '../../store/record-change.ts';
import type { RunningSlice } from '../../store/steps/read-active-slice.ts';
import { toCallAuditContext } from '../../store/steps/record-step.ts';
import type { OwnedSlot, TaskWatch } from '../owned-slot.ts';
import { recordAndAnnounce } from './record-slice-step.ts';

// The pause before a cancel without effect is sent again. Meanwhile the task is watched like any other: it
// may end by itself. Shorter: cancels use up the calls for polls. Longer: the caller waits for the cancel.
const cancelRetryMs = 10_000;

/**
 * Cancels the task in the slot, on behalf of the caller of its job if that has requested it. From the answer on
 * the slice is `cancelling`, unless AWS has refused the cancel.
 */
export async function requestCancel(slot: OwnedSlot, active: RunningSlice): Promise<number> {
  const { target, database, memory, elapsed, outages } = slot;
  const { jobId, slice, attempt, taskId } = active;
  const principal = active.isCancelRequested ? active.caller : gatewayItself;
  const { awsRequestId, refusal } = await attemptCalls.run(active, () =>
    cancelTaskAtAws(slot, taskId, active.caller),
  );
  const problem = refusal?.slug;
  const by = { action: 'CancelExportTask', principal, awsRequestId, problem } as const;
  const isRefused = refusal !== undefined && !isOver(refusal);
  if (isRefused) {
    const facts = { target: target.name, jobId, taskId, problem, err: refusal };
    outages.cancels.failed(facts, 'failed to cancel a task, retrying');
  } else {
    outages.cancels.worked({ target: target.name }, 'AWS accepts cancels again');
  }
  if (isRefused || active.state === 'cancelling') {
    memory.cancelNotBefore = elapsed() + cancelRetryMs;
    const call = { target: target.name, jobId, taskId, destination: active.destination };
    await recordCall(database, call, toCallAuditContext(active, by));
    return 0;
  }
  const change = { type: 'slice-cancelling', slice, attempt, taskId } as const;
  await recordAndAnnounce(slot, active, { to: 'cancelling', attempt: {}, change, by });
  return 0;
}

/** Whether AWS refused a cancel because the task has ended or is unknown: the next listing shows which. */
export function isOver({ slug }: Problem): boolean {
  return slug === 'export-task-already-finished' || slug === 'export-task-not-found';
}

/**
 * Whether a cancel had no effect so far, because AWS still shows the task as if there was none. For example, AWS did
 * not know a task yet that was new.
 */
export function isToBeCancelledAgain(
  { memory, elapsed }: OwnedSlot,
  { state, since }: TaskWatch,
  code: ExportTaskStatusCode,
): boolean {
  if (state === 'running' || code === 'PENDING_CANCEL') return false;
  return elapsed() >= Math.max(since + cancelRetryMs, memory.cancelNotBefore);
}

/** The answer of AWS to a cancel. */
export interface CancelOutcome {
  awsRequestId: string | undefined;
  /** Why AWS refused it. */
  refusal?: Problem;
}

/** Asks AWS to cancel a task, on behalf of the caller of its job, if there is one. Never throws. */
export function cancelTaskAtAws(
  { target, callSpacing }: OwnedSlot,
  taskId: string,
  caller: string | undefined,
): Promise<CancelOutcome> {
  callSpacing.countWrite();
  return target.logs.cancelExportTask(taskId, { caller }).catch((refusal: Problem) => {
    return { awsRequestId: refusal.members.awsRequestId, refusal };
  });
}
