import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { Problem } from '#problems/problem.ts';

/** The door of a target. */
export interface Gate {
  /** @throws Problem while the target is not ready */
  enter(): CloudWatchLogs;
  /** Called when STS has refused the role, or there are no credentials. */
  onRefused(): void;
}

/** Wraps CloudWatch Logs of a target so that nothing is sent while the target is not ready. */
export function gateCalls({ enter, onRefused }: Gate): CloudWatchLogs {
  const note = (problem: unknown) => {
    if (!(problem instanceof Problem) || problem.slug !== 'service-role-unusable') return;
    // A session that AWS has refused is renewed. Only STS decides about the role.
    if (problem.members.awsErrorCode === undefined) onRefused();
  };

  async function pass<Answer>(call: (logs: CloudWatchLogs) => Promise<Answer>): Promise<Answer> {
    const logs = enter();
    try {
      return await call(logs);
    } catch (error) {
      note(error);
      throw error;
    }
  }

  return {
    async createExportTask(task, options) {
      let logs: CloudWatchLogs;
      try {
        logs = enter();
      } catch (problem) {
        return { outcome: 'not-sent', problem: problem as Problem };
      }
      const outcome = await logs.createExportTask(task, options);
      if ('problem' in outcome) note(outcome.problem);
      return outcome;
    },
    describeExportTasks: (query, options) =>
      pass((logs) => logs.describeExportTasks(query, options)),
    cancelExportTask: (taskId, options) => pass((logs) => logs.cancelExportTask(taskId, options)),
    describeLogGroups: (query, options) => pass((logs) => logs.describeLogGroups(query, options)),
  };
}
