import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { type AwsExportTask, isActive } from '#aws/export-task.ts';
import { Problem } from '#problems/problem.ts';
import { toDateTime } from '#time/date-time.ts';

/** Another task as a caller may see it; `undefined` if they may not. */
export type ViewTask = (task: AwsExportTask) => Promise<AwsExportTask | undefined>;

/** The caller of a create, and the caller's view of other tasks. */
interface Viewer {
  caller: string;
  view: ViewTask;
}

/** Adds the task that holds the slot to a refusal, if AWS lists it and the caller may see it. */
export async function withSlotHolder(
  logs: CloudWatchLogs,
  refusal: Problem,
  { caller, view }: Viewer,
): Promise<Problem> {
  const active =
    (await findActive(logs, { isFresh: false, caller })) ??
    (await findActive(logs, { isFresh: true, caller }));
  const holder = active && (await view(active));
  if (holder?.taskId === undefined) return refusal;
  const { taskId, taskName, logGroupName, status, executionInfo } = holder;
  const since =
    executionInfo?.creationTime === undefined ? undefined : toDateTime(executionInfo.creationTime);
  const detail = `Export task ${taskId}${logGroupName ? ` of log group ${logGroupName}` : ''} holds the slot${since ? `. It was created at ${since}` : ''}.`;
  return new Problem('export-slot-taken', detail, {
    ...refusal.members,
    slotHolder: {
      taskId,
      status: status?.code ?? 'RUNNING',
      ...(taskName !== undefined && { taskName }),
      ...(logGroupName !== undefined && { logGroupName }),
      ...(since !== undefined && { since }),
    },
  });
}

// There is one slot, so the active task is among the newest. If the call fails, no task is named.
async function findActive(
  logs: CloudWatchLogs,
  options: { isFresh: boolean; caller: string },
): Promise<AwsExportTask | undefined> {
  const page = await logs.describeExportTasks({ limit: 50 }, options).catch(() => undefined);
  return page?.exportTasks.find(isActive);
}
