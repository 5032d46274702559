import { integer, optional, text } from '../../wire/json-input.ts';
import { defaultDestinationPrefix } from '../export-files.ts';
import { type ExportTask, exportTaskStatusCodes } from '../export-tasks.ts';
import { describeLimit } from '../names.ts';
import { readNextToken, writeNextToken } from '../next-token.ts';
import { makeOperation } from '../operation.ts';

const operation = 'DescribeExportTasks';

/** DescribeExportTasks: newest first, also under a status filter (there the order is unverified). */
export const describeExportTasks = makeOperation(
  {
    taskId: optional(text({ min: 1, max: 512 })),
    statusCode: optional(text({ values: exportTaskStatusCodes })),
    nextToken: optional(text({ min: 1 })),
    limit: optional(integer(describeLimit)),
  },
  ({ taskId, statusCode, nextToken, limit }, { logs, clock, settings, fault }) => {
    const { nextTokenTtlMs: ttlMs, keepFinishedTasksMs } = settings;
    const now = clock.now();
    const shownUntil = fault?.kind === 'stale-listing' ? now - fault.lagMs : Infinity;
    const isShown = (task: ExportTask) =>
      (statusCode === undefined || task.status === statusCode) &&
      task.createdAt <= shownUntil &&
      now - (task.finishedAt ?? now) <= keepFinishedTasksMs;

    const { all } = logs.exportTasks;
    const place = nextToken && readNextToken(nextToken, { operation, now, ttlMs });
    if (taskId !== undefined) {
      const task = logs.exportTasks.find(taskId);
      return { output: { exportTasks: task && isShown(task) ? [showTask(task)] : [] } };
    }

    const page: ExportTask[] = [];
    const pageLength = Number(limit ?? describeLimit.max);
    let at = typeof place === 'number' ? place : all.length - 1;
    for (; at >= 0; at -= 1) {
      const task = all[at];
      if (!task || !isShown(task)) continue;
      // Only a task that is really left makes a token: a listing never ends in an empty page.
      if (page.length === pageLength) break;
      page.push(task);
    }
    const exportTasks = page.map(showTask);
    if (at < 0) return { output: { exportTasks } };
    return { output: { exportTasks, nextToken: writeNextToken(operation, at, now) } };
  },
);

/** A task in AWS's words. `logStreamNamePrefix` is not among them (service model). */
function showTask(task: ExportTask) {
  return {
    taskId: task.taskId,
    taskName: task.taskName,
    logGroupName: task.logGroupName,
    from: task.from,
    to: task.to,
    destination: task.destination,
    destinationPrefix: task.destinationPrefix || defaultDestinationPrefix,
    status: { code: task.status, message: task.message },
    executionInfo: { creationTime: task.createdAt, completionTime: task.finishedAt },
  };
}
