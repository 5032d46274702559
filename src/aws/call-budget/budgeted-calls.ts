import type { Problem } from '#problems/problem.ts';
import type { CallOptions } from '../call-options.ts';
import type { CloudWatchLogs } from '../cloudwatch-logs.ts';
import type { CallBudget, Lane } from './call-budget.ts';

/**
 * Wraps CloudWatch Logs so that creates, cancels, and reads of log groups and events take a call from the
 * budget.
 * Reads of export tasks go through `shareReads`, which takes one call for all identical queries.
 */
export function budgetCalls(logs: CloudWatchLogs, budget: CallBudget): CloudWatchLogs {
  const take = ({ caller, signal, lane }: CallOptions, defaultLane: Lane) =>
    budget.take({ lane: lane ?? defaultLane, caller, signal });

  return {
    ...logs,

    async createExportTask(task, options = {}) {
      try {
        await take(options, 'write');
      } catch (problem) {
        return { outcome: 'not-sent', problem: problem as Problem };
      }
      return logs.createExportTask(task, options);
    },

    async cancelExportTask(taskId, options = {}) {
      await take(options, 'write');
      return logs.cancelExportTask(taskId, options);
    },

    async describeLogGroups(query, options = {}) {
      await take(options, 'read');
      return logs.describeLogGroups(query, options);
    },

    async filterLogEvents(query, options = {}) {
      await take(options, 'verification');
      return logs.filterLogEvents(query, options);
    },

    async startQuery(query, options = {}) {
      await take(options, 'verification');
      return logs.startQuery(query, options);
    },

    async readQuery(queryId, options = {}) {
      await take(options, 'verification');
      return logs.readQuery(queryId, options);
    },
  };
}

/** Puts all calls into the lanes of the dispatcher. */
export function asDispatcher(logs: CloudWatchLogs): CloudWatchLogs {
  const lane = 'dispatcher';
  return {
    ...logs,
    createExportTask: (task, options) => logs.createExportTask(task, { ...options, lane }),
    describeExportTasks: (query, options) =>
      logs.describeExportTasks(query, { ...options, lane: 'poll' }),
    cancelExportTask: (taskId, options) => logs.cancelExportTask(taskId, { ...options, lane }),
    describeLogGroups: (query, options) => logs.describeLogGroups(query, { ...options, lane }),
  };
}
