import type { Problem } from '#problems/problem.ts';
import type { OwnedSlot } from '../owned-slot.ts';

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
