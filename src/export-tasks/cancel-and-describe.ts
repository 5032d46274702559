import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { AwsExportTask } from '#aws/export-task.ts';
import { Problem } from '#problems/problem.ts';
import type { OpenTarget } from '#targets/target.ts';
import { toTaskQuestion } from './authorization-questions.ts';

/** No export task that this caller may know of: there is none, or it is none of their business. */
export function exportTaskNotFound(): Problem {
  return new Problem('export-task-not-found', 'AWS lists no export task with this id.');
}

/**
 * Refuses to cancel what the caller may not: AWS is asked which log group and bucket the task is of.
 * Where everybody may do everything nothing is asked, and nothing for those who may cancel no task.
 * @throws Problem export-task-not-found
 */
export async function requireCancellable(
  authorizer: Authorizer,
  request: CallerRequest,
  target: OpenTarget,
  taskId: string,
  signal: AbortSignal,
): Promise<void> {
  if (authorizer.isOpen) return;
  const how = { caller: request.principal.id, signal };
  const page = authorizer.mayPermit(request, 'CancelExportTask', target)
    ? await target.logs.describeExportTasks({ taskId }, how)
    : undefined;
  const task = page?.exportTasks[0];
  const { isPermitted } = authorizer.decide(
    request,
    toTaskQuestion('CancelExportTask', target, task),
  );
  if (!task || !isPermitted) throw exportTaskNotFound();
}

/**
 * Cancels a task and shows it. If AWS says that it has already finished because an earlier attempt
 * of this very call (its answer lost) did cancel it, that is a success. `mask` leaves out what the
 * caller may not know of it.
 */
export async function cancelAndDescribe(
  logs: CloudWatchLogs,
  taskId: string,
  { caller, signal }: { caller: string; signal: AbortSignal },
  mask: (task: AwsExportTask) => Promise<AwsExportTask>,
): Promise<{ task: AwsExportTask; awsRequestId: string | undefined }> {
  const show = async (): Promise<AwsExportTask> => {
    const page = await logs
      .describeExportTasks({ taskId }, { isFresh: true, caller, lane: 'write' })
      .catch(() => undefined);
    // The cancel itself succeeded; that AWS cannot show the task just now does not undo it.
    return mask(page?.exportTasks[0] ?? { taskId });
  };
  try {
    const { awsRequestId } = await logs.cancelExportTask(taskId, { caller, signal });
    return { task: await show(), awsRequestId };
  } catch (refusal) {
    if (!(refusal instanceof Problem) || refusal.slug !== 'export-task-already-finished')
      throw refusal;
    const task = await show();
    const code = task.status?.code;
    // Any other state, be it one that is not known here, is what our earlier attempt made of it.
    const hasEndedByItself = code === undefined || code === 'COMPLETED' || code === 'FAILED';
    if (attemptsOf(refusal.cause) > 1 && !hasEndedByItself) {
      return { task, awsRequestId: refusal.members.awsRequestId };
    }
    const { from: _from, to: _to, ...shown } = task; // exact integers, which a problem need not repeat
    throw new Problem('export-task-already-finished', `The export task is ${code ?? 'finished'}.`, {
      ...refusal.members,
      exportTask: { ...shown, taskId },
    });
  }
}

function attemptsOf(error: unknown): number {
  return (error as { $metadata?: { attempts?: number } }).$metadata?.attempts ?? 1;
}
