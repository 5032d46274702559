import { setAsNewest } from '#caching/bounded-map.ts';
import { statedLimits } from '#problems/limits.ts';
import type { CloudWatchLogs } from '../cloudwatch-logs.ts';
import type { AwsExportTask, ExportTaskPage } from '../export-task.ts';

// An id that AWS does not know stays unknown: a caller learns the id of a new task from AWS. Shorter:
// each wrong id costs a call a second. Longer: an answer from before the task was visible
// everywhere misleads for that long.
const unknownForMs = 5_000;
// A finished task does not change, but AWS removes it at some time. Longer: its removal is seen late.
const finishedForMs = 10 * 60_000;
// About 500 bytes each. Fewer: two hundred callers who each poll a finished task cost one call each.
// More: a thousand targets fill the memory of a small container.
const maxCached = 512;

const finishedCodes = new Set<string | undefined>(['COMPLETED', 'FAILED', 'CANCELLED']);

/**
 * Answers a query by id from the newest page, which all callers share, or from a cache of tasks that no
 * longer change. Two hundred callers who poll two hundred new tasks cost AWS one call a second. Only
 * an id that is in neither costs a call of its own. `logs` must share reads.
 */
export function readNewestFirst(
  logs: CloudWatchLogs,
  { elapsed }: { elapsed: () => number },
): CloudWatchLogs {
  let lastPage: readonly AwsExportTask[] = [];
  const cached = new Map<string, { page: ExportTaskPage; at: number; until: number }>();

  function cache(taskId: string, page: ExportTaskPage, forMs: number): void {
    const at = elapsed() - 1_000 * page.ageSeconds;
    setAsNewest(cached, taskId, { page, at, until: at + forMs }, maxCached);
  }

  function readCached(taskId: string): ExportTaskPage | undefined {
    const known = cached.get(taskId);
    if (!known || known.until < elapsed()) return undefined;
    return { ...known.page, ageSeconds: Math.ceil((elapsed() - known.at) / 1_000) };
  }

  const pageOf = ({ nextToken: _older, ...page }: ExportTaskPage, task: AwsExportTask) => ({
    ...page,
    exportTasks: [task],
  });

  /** Caches the finished tasks of a page, once for each answer of AWS. */
  function cacheFinished(page: ExportTaskPage): void {
    if (page.exportTasks === lastPage) return;
    lastPage = page.exportTasks;
    for (const task of page.exportTasks) {
      const { taskId, status } = task;
      if (taskId !== undefined && finishedCodes.has(status?.code)) {
        cache(taskId, pageOf(page, task), finishedForMs);
      }
    }
  }

  return {
    ...logs,

    async describeExportTasks(query, options = {}) {
      const { taskId, ...filter } = query;
      const isById = taskId !== undefined && Object.values(filter).every((v) => v === undefined);
      if (!isById || options.isFresh) return logs.describeExportTasks(query, options);

      const newest = await logs.describeExportTasks({ limit: statedLimits.newestTasks }, options);
      cacheFinished(newest);
      const task = newest.exportTasks.find((listed) => listed.taskId === taskId);
      if (task) return pageOf(newest, task);

      const known = readCached(taskId);
      if (known) return known;
      const page = await logs.describeExportTasks(query, options);
      if (page.exportTasks.length === 0) cache(taskId, page, unknownForMs);
      else cacheFinished(page);
      return page;
    },
  };
}
