import { setAsNewest } from '#caching/bounded-map.ts';
import { statedLimits } from '#problems/limits.ts';
import type { CloudWatchLogs } from '../cloudwatch-logs.ts';
import type { AwsExportTask, ExportTaskPage } from '../export-task.ts';

// A task that AWS does not know by its id is not known a moment later, for who creates one hears its
// id from AWS. Shorter, and wrong ids cost a call each second; longer, and an answer that came
// before the task was to be seen everywhere misleads for as long.
const unknownForMs = 5_000;
// What has ended does not change; AWS only forgets it some day. Longer, and that is seen late.
const endedForMs = 10 * 60_000;
// Some 500 bytes each. Fewer, and two hundred callers who follow a task each cost calls of their own
// when they are done; more, and a thousand targets take the memory of a small container.
const maxRemembered = 512;

const ends = new Set<string | undefined>(['COMPLETED', 'FAILED', 'CANCELLED']);

/**
 * Answers for a task by its id out of the newest page, which all callers share, or out of what is
 * known not to change: two hundred callers who poll two hundred fresh tasks cost AWS one call a
 * second. Only an id that is not there is asked for by itself. `logs` shares reads.
 */
export function readNewestFirst(
  logs: CloudWatchLogs,
  { elapsed }: { elapsed: () => number },
): CloudWatchLogs {
  let lastSeen: readonly AwsExportTask[] = [];
  const remembered = new Map<string, { page: ExportTaskPage; at: number; until: number }>();

  function remember(taskId: string, page: ExportTaskPage, forMs: number): void {
    const at = elapsed() - 1_000 * page.ageSeconds;
    setAsNewest(remembered, taskId, { page, at, until: at + forMs }, maxRemembered);
  }

  function getOrCompute(taskId: string): ExportTaskPage | undefined {
    const known = remembered.get(taskId);
    if (!known || known.until < elapsed()) return undefined;
    return { ...known.page, ageSeconds: Math.ceil((elapsed() - known.at) / 1_000) };
  }

  const alone = ({ nextToken: _older, ...page }: ExportTaskPage, task: AwsExportTask) => ({
    ...page,
    exportTasks: [task],
  });

  /** Remembers what has ended, once for each answer of AWS. */
  function rememberEnded(page: ExportTaskPage): void {
    if (page.exportTasks === lastSeen) return;
    lastSeen = page.exportTasks;
    for (const task of page.exportTasks) {
      const { taskId, status } = task;
      if (taskId !== undefined && ends.has(status?.code)) {
        remember(taskId, alone(page, task), endedForMs);
      }
    }
  }

  return {
    ...logs,

    async describeExportTasks(query, how = {}) {
      const { taskId, ...filter } = query;
      const isById = taskId !== undefined && Object.values(filter).every((v) => v === undefined);
      if (!isById || how.isFresh) return logs.describeExportTasks(query, how);

      const newest = await logs.describeExportTasks({ limit: statedLimits.newestTasks }, how);
      rememberEnded(newest);
      const task = newest.exportTasks.find((listed) => listed.taskId === taskId);
      if (task) return alone(newest, task);

      const known = getOrCompute(taskId);
      if (known) return known;
      const page = await logs.describeExportTasks(query, how);
      if (page.exportTasks.length === 0) remember(taskId, page, unknownForMs);
      else rememberEnded(page);
      return page;
    },
  };
}
