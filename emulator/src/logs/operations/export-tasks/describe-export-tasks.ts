import type { Settings } from '../../../options/settings.ts';
import { integer, optional, text } from '../../../wire/json-input.ts';
import { defaultDestinationPrefix, trimAs } from '../../exports/export-files.ts';
import { exportTaskStatusCodes } from '../../exports/export-task-status.ts';
import type { ExportTask } from '../../exports/export-tasks.ts';
import { describeLimit } from '../../names.ts';
import { readNextToken, writeNextToken } from '../../next-token.ts';
import { makeOperation } from '../../operation.ts';

const operation = 'DescribeExportTasks';

type Order = Settings['filteredOrder'];

/** The position of the first task of a page. `at` is null after the last task. */
interface Place {
  at?: number | string | null | undefined;
  isEmptyPage?: boolean;
}

/**
 * DescribeExportTasks: newest first (documentation). Options decide about the order under a status
 * filter, about empty pages, and from what age to what age tasks are listed.
 */
export const describeExportTasks = makeOperation(
  {
    taskId: optional(text({ min: 1, max: 512 })),
    statusCode: optional(text({ values: exportTaskStatusCodes })),
    nextToken: optional(text({ min: 1 })),
    limit: optional(integer(describeLimit)),
  },
  ({ taskId, statusCode, nextToken, limit }, { logs, clock, settings, fault }) => {
    const { nextTokenTtlMs: ttlMs, keepFinishedTasksMs, listedAfterMs, emptyPages } = settings;
    const now = clock.now();
    // Without a lag, tasks from before the clock was set back are shown too.
    const shownUntil = (lagMs: number) => (lagMs > 0 ? now - lagMs : Infinity);
    const knownUntil = shownUntil(fault?.kind === 'stale-listing' ? fault.lagMs : 0);
    const listedUntil = shownUntil(listedAfterMs);
    const isKnown = (task: ExportTask) =>
      (statusCode === undefined || shownCode(task, settings) === statusCode) &&
      task.createdAt <= knownUntil &&
      now - (task.finishedAt ?? now) <= keepFinishedTasksMs;
    const isListed = (task: ExportTask) => task.createdAt <= listedUntil && isKnown(task);
    const answer = (tasks: readonly ExportTask[], next?: Place) => ({
      output: {
        exportTasks: tasks.map((task) => showTask(task, settings)),
        nextToken: next && writeNextToken(operation, next, now),
      },
    });

    const start: Place = { isEmptyPage: emptyPages === 'everywhere' };
    const { at, isEmptyPage } = nextToken
      ? readNextToken<Place>(nextToken, { operation, now, ttlMs })
      : start;
    if (taskId !== undefined) {
      const task = logs.exportTasks.find(taskId);
      return answer(task && isKnown(task) ? [task] : []);
    }

    if (at === null) return answer([]);
    if (isEmptyPage) return answer([], { at });
    const page: ExportTask[] = [];
    const pageLength = Number(limit ?? describeLimit.max);
    const order = statusCode === undefined ? 'newest-first' : settings.filteredOrder;
    for (const [place, task] of inOrder(logs.exportTasks.all, order, at)) {
      if (!isListed(task)) continue;
      // A token is written only if another task follows.
      if (page.length === pageLength) return answer(page, { ...start, at: place });
      page.push(task);
    }
    return emptyPages === 'never' ? answer(page) : answer(page, { at: null });
  },
);

/** Tasks with their positions, starting at one position. `all` has the oldest first. */
function* inOrder(
  all: readonly ExportTask[],
  order: Order,
  from: number | string | undefined,
): Generator<[place: number | string, task: ExportTask]> {
  if (order === 'by-id') {
    const sorted = all.toSorted((one, other) => (one.taskId < other.taskId ? -1 : 1));
    for (const task of sorted) if (task.taskId >= String(from ?? '')) yield [task.taskId, task];
    return;
  }
  const step = order === 'newest-first' ? -1 : 1;
  const first = order === 'newest-first' ? all.length - 1 : 0;
  for (let at = Number(from ?? first); ; at += step) {
    const task = all[at];
    if (!task) return;
    yield [at, task];
  }
}

function shownCode({ status }: ExportTask, { shownStatusCodes }: Settings): string {
  return shownStatusCodes[status] ?? status;
}

/** A task as AWS shows it, without `logStreamNamePrefix` (service model). */
function showTask(task: ExportTask, settings: Settings) {
  const { pendingHasExecutionInfo, shownPrefix } = settings;
  const hasExecutionInfo = task.status !== 'PENDING' || pendingHasExecutionInfo;
  return {
    taskId: task.taskId,
    taskName: task.taskName,
    logGroupName: task.logGroupName,
    from: task.from,
    to: task.to,
    destination: task.destination,
    destinationPrefix: trimAs(shownPrefix, task.destinationPrefix || defaultDestinationPrefix),
    status: { code: shownCode(task, settings), message: task.message },
    executionInfo: hasExecutionInfo
      ? { creationTime: task.createdAt, completionTime: task.finishedAt }
      : undefined,
  };
}
