import type { Problem } from '#problems/problem.ts';
import type { CallOptions, CloudWatchLogs } from '../cloudwatch-logs.ts';
import type { CallBudget, Lane } from './call-budget.ts';

/**
 * Puts the budget of calls in front of creates, cancels and log groups. Export tasks are read through
 * `shareReads`, which takes one call for all who ask the same.
 */
export function budgetCalls(logs: CloudWatchLogs, budget: CallBudget): CloudWatchLogs {
  const take = ({ caller, signal, lane }: CallOptions, usual: Lane) =>
    budget.take({ lane: lane ?? usual, caller, signal });

  return {
    ...logs,

    async createExportTask(task, how = {}) {
      try {
        await take(how, 'write');
      } catch (problem) {
        return { outcome: 'not-sent', problem: problem as Problem };
      }
      return logs.createExportTask(task, how);
    },

    async cancelExportTask(taskId, how = {}) {
      await take(how, 'write');
      return logs.cancelExportTask(taskId, how);
    },

    async describeLogGroups(query, how = {}) {
      await take(how, 'read');
      return logs.describeLogGroups(query, how);
    },
  };
}

/** The same calls as the dispatcher makes them: ahead of everybody's. */
export function asDispatcher(logs: CloudWatchLogs): CloudWatchLogs {
  const lane = 'dispatcher';
  return {
    ...logs,
    createExportTask: (task, how) => logs.createExportTask(task, { ...how, lane }),
    describeExportTasks: (query, how) => logs.describeExportTasks(query, { ...how, lane }),
    cancelExportTask: (taskId, how) => logs.cancelExportTask(taskId, { ...how, lane }),
    describeLogGroups: (query, how) => logs.describeLogGroups(query, { ...how, lane }),
  };
}
