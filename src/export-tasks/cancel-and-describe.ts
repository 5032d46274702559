import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { AwsExportTask } from '#aws/export-task.ts';
import { Problem } from '#problems/problem.ts';
import { identityNamed, type Targets } from '#targets/target.ts';
import { toTaskQuestion } from './authorization-questions.ts';

/** The problem for a task that does not exist, or that this caller may not see. */
export function exportTaskNotFound(): Problem {
  return new Problem('export-task-not-found', 'AWS lists no export task with this id.');
}

/**
 * Requires that the caller may cancel the task. Reads the log group and the bucket of the task from AWS,
 * except when authorization is off, or when the caller may cancel no task at all.
 * @throws Problem export-task-not-found
 */
export async function requireCancellable(
  authorizer: Authorizer,
  request: CallerRequest,
  { targets, name, taskId }: { targets: Targets; name: string | undefined; taskId: string },
  signal: AbortSignal,
): Promise<void> {
  if (authorizer.isOpen) return;
  const options = { caller: request.principal.id, signal };
  const target = identityNamed(targets, name);
  const page = authorizer.mayPermit(request, 'CancelExportTask', target)
    ? await targets.find(name).logs.describeExportTasks({ taskId }, options)
    : undefined;
  const task = page?.exportTasks[0];
  const { isPermitted } = authorizer.decide(
    request,
    toTaskQuestion('CancelExportTask', target, task),
  );
  if (!task || !isPermitted) throw exportTaskNotFound();
}

/**
 * Cancels a task and describes it. AWS may answer that it has already finished. That is a success while the
 * task is being cancelled, and if an earlier attempt of this call, whose answer was lost, cancelled it.
 * `mask` removes what the caller may not see.
 */
export async function cancelAndDescribe(
  logs: CloudWatchLogs,
  taskId: string,
  { caller, signal }: { caller: string; signal: AbortSignal },
  mask: (task: AwsExportTask) => Promise<AwsExportTask>,
): Promise<{ task: AwsExportTask; awsRequestId: string | undefined }> {
  const describe = async (): Promise<AwsExportTask> => {
    const page = await logs
      .describeExportTasks({ taskId }, { isFresh: true, caller, lane: 'write' })
      .catch(() => undefined);
    // The cancel has succeeded, even if AWS cannot describe the task now.
    return mask(page?.exportTasks[0] ?? { taskId });
  };
  try {
    const { awsRequestId } = await logs.cancelExportTask(taskId, { caller, signal });
    return { task: await describe(), awsRequestId };
  } catch (refusal) {
    if (!(refusal instanceof Problem) || refusal.slug !== 'export-task-already-finished')
      throw refusal;
    const task = await describe();
    const code = task.status?.code;
    // Any other state, even an unknown one, is the result of our earlier attempt.
    const hasEndedByItself = code === undefined || code === 'COMPLETED' || code === 'FAILED';
    const isRepeated = attemptsOf(refusal.cause) > 1 && !hasEndedByItself;
    if (isRepeated || code === 'PENDING_CANCEL') {
      return { task, awsRequestId: refusal.members.awsRequestId };
    }
    const { from: _from, to: _to, ...shown } = task; // a problem has no exact integers
    throw new Problem('export-task-already-finished', `The export task is ${code ?? 'finished'}.`, {
      ...refusal.members,
      exportTask: { ...shown, taskId },
    });
  }
}

function attemptsOf(error: unknown): number {
  return (error as { $metadata?: { attempts?: number } }).$metadata?.attempts ?? 1;
}
