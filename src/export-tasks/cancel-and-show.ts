import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { ExportTask } from '#aws/export-task.ts';
import { Problem } from '#problems/problem.ts';

/**
 * Cancels a task and shows it. If AWS says that it has already finished because an earlier attempt
 * of this very call (its answer lost) did cancel it, that is a success.
 */
export async function cancelAndShow(
  logs: CloudWatchLogs,
  taskId: string,
): Promise<{ task: ExportTask; awsRequestId: string | undefined }> {
  const show = async (): Promise<ExportTask> => {
    const page = await logs
      .describeExportTasks({ taskId }, { isFresh: true })
      .catch(() => undefined);
    // The cancel itself succeeded; that AWS cannot show the task just now does not undo it.
    return page?.exportTasks[0] ?? { taskId };
  };
  try {
    const { awsRequestId } = await logs.cancelExportTask(taskId);
    return { task: await show(), awsRequestId };
  } catch (refusal) {
    if (!(refusal instanceof Problem) || refusal.slug !== 'export-task-already-finished')
      throw refusal;
    const task = await show();
    const code = task.status?.code;
    if (attemptsOf(refusal.cause) > 1 && (code === 'CANCELLED' || code === 'PENDING_CANCEL')) {
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
