import type { CloudWatchLogs } from './cloudwatch-logs.ts';
import type { DescribeExportTasks, ExportTaskPage } from './export-task.ts';

// AWS takes five describes a second per account and Region, from everybody together. Younger, and
// pollers use them up; older, and an answer feels stale.
const freshForMs = 1_000;

interface Entry {
  query: DescribeExportTasks;
  answer: Promise<ExportTaskPage>;
  /** When the answer arrived; `undefined` while the call is in flight. */
  answeredAt?: number;
}

/**
 * Puts shared reads in front of a port: identical describes in flight are one call, and an answer
 * serves for up to a second. Failures too, so that two hundred pollers do not become two hundred
 * calls just when AWS is throttling. What is created or cancelled through the port is fresh at once.
 */
export function shareReads(logs: CloudWatchLogs, now: () => number): CloudWatchLogs {
  const entries = new Map<string, Entry>();

  const isStale = ({ answeredAt }: Entry) =>
    answeredAt !== undefined && now() - answeredAt > freshForMs;

  function forget(hasChanged: (query: DescribeExportTasks) => boolean): void {
    for (const [key, { query }] of entries) if (hasChanged(query)) entries.delete(key);
  }

  return {
    ...logs,

    async describeExportTasks(query, { isFresh = false, ...how } = {}) {
      const { taskId, statusCode, nextToken, limit } = query;
      const key = JSON.stringify({ taskId, statusCode, nextToken, limit });
      const known = entries.get(key);
      if (known && !isFresh && !isStale(known)) {
        const page = await known.answer;
        return { ...page, ageSeconds: Math.ceil((now() - (known.answeredAt ?? now())) / 1_000) };
      }
      // Entries stand in the order they were made, so the stale ones are in front.
      for (const [oldKey, entry] of entries) {
        if (!isStale(entry)) break;
        entries.delete(oldKey);
      }
      const entry: Entry = { query, answer: logs.describeExportTasks(query, how) };
      const markAnswered = () => {
        entry.answeredAt = now();
      };
      entry.answer.then(markAnswered, markAnswered);
      entries.delete(key);
      entries.set(key, entry);
      return entry.answer;
    },

    async createExportTask(task, how) {
      const outcome = await logs.createExportTask(task, how);
      if (outcome.outcome === 'accepted' || outcome.outcome === 'unknown') {
        forget((query) => query.taskId === undefined);
      }
      return outcome;
    },

    async cancelExportTask(taskId, how) {
      try {
        return await logs.cancelExportTask(taskId, how);
      } finally {
        forget((query) => query.taskId === undefined || query.taskId === taskId);
      }
    },
  };
}
