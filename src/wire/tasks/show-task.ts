import type { Task, TaskStatus } from '#export-jobs/store/tasks/read-tasks.ts';

/** An export task in the members of AWS. AWS never shows logStreamNamePrefix. */
export interface ShownTask {
  taskId: string;
  taskName?: string;
  logGroupName: string;
  from: bigint;
  to: bigint;
  destination: string;
  destinationPrefix: string;
  status: { code: TaskStatus; message?: string };
  executionInfo: { creationTime: number; completionTime?: number };
}

/** The messages of AWS. It shows none for a task that is PENDING. */
const messages: Partial<Record<TaskStatus, string>> = {
  RUNNING: 'Started Successfully',
  COMPLETED: 'Completed successfully',
};

/** Shows a task as AWS does, with the prefix that it was accepted with. The message also has the id of the task at AWS. */
export function showTask(task: Task): ShownTask {
  const { jobId, parameters, destinationPrefix, status, acceptedAt, endedAt } = task;
  const { taskName, logGroupName, from, to, destination } = parameters;
  const message = messageOf(task);
  return {
    taskId: jobId,
    ...(taskName !== undefined && { taskName }),
    logGroupName,
    from,
    to,
    destination,
    destinationPrefix,
    status: { code: status, ...(message !== '' && { message }) },
    executionInfo: {
      creationTime: acceptedAt,
      ...(endedAt !== null && { completionTime: endedAt }),
    },
  };
}

function messageOf({ status, awsTaskId, awsError, problem }: Task): string {
  const failure = status === 'FAILED' ? (awsError?.message ?? problem?.detail) : undefined;
  const text = failure ?? messages[status] ?? '';
  if (awsTaskId === null || status === 'PENDING') return text;
  return text === '' ? `AWS task ${awsTaskId}` : `${text} (AWS task ${awsTaskId})`;
}
