import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { SinkCalls } from '#aws/sinks/sink-calls.ts';
import type { StorageCalls } from '#aws/storage/calls/storage-calls.ts';
import { Problem } from '#problems/problem.ts';
import type { Account } from '../account/open-account.ts';

/** The door of a target. */
export interface Gate {
  /** @throws Problem while the target is not ready */
  enter(): Account;
  /** Called when STS has refused the role, or there are no credentials. */
  onRefused(): void;
}

/** Wraps the calls of a target so that nothing is sent while the target is not ready. */
export function gateCalls({ enter, onRefused }: Gate): {
  logs: CloudWatchLogs;
  storage: StorageCalls;
  sinks: SinkCalls;
} {
  const note = (problem: unknown) => {
    if (!(problem instanceof Problem) || problem.slug !== 'service-role-unusable') return;
    // A session that AWS has refused is renewed. Only STS decides about the role.
    if (problem.members.awsErrorCode === undefined) onRefused();
  };

  async function enterFor<Answer>(call: (account: Account) => Promise<Answer>): Promise<Answer> {
    const account = enter();
    try {
      return await call(account);
    } catch (error) {
      note(error);
      throw error;
    }
  }

  const pass = <Answer>(call: (logs: CloudWatchLogs) => Promise<Answer>) =>
    enterFor((account) => call(account.logs()));

  const logs: CloudWatchLogs = {
    async createExportTask(task, options) {
      let account: Account;
      try {
        account = enter();
      } catch (problem) {
        return { outcome: 'not-sent', problem: problem as Problem };
      }
      const outcome = await account.logs().createExportTask(task, options);
      if ('problem' in outcome) note(outcome.problem);
      return outcome;
    },
    describeExportTasks: (query, options) =>
      pass((logs) => logs.describeExportTasks(query, options)),
    cancelExportTask: (taskId, options) => pass((logs) => logs.cancelExportTask(taskId, options)),
    describeLogGroups: (query, options) => pass((logs) => logs.describeLogGroups(query, options)),
    filterLogEvents: (query, options) => pass((logs) => logs.filterLogEvents(query, options)),
    startQuery: (query, options) => pass((logs) => logs.startQuery(query, options)),
    readQuery: (queryId, options) => pass((logs) => logs.readQuery(queryId, options)),
  };
  const storage: StorageCalls = {
    s3: (...call) => enterFor((account) => account.storage.s3(...call)),
    kms: (...call) => enterFor((account) => account.storage.kms(...call)),
  };
  const sinks: SinkCalls = {
    publish: (...call) => enterFor((account) => account.sinks.publish(...call)),
    putEvent: (...call) => enterFor((account) => account.sinks.putEvent(...call)),
  };
  return { logs, storage, sinks };
}
