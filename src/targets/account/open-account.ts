import type { Audit } from '#audit/audit.ts';
import { auditCalls, type RecordCall } from '#aws/audited-calls.ts';
import { budgetCalls } from '#aws/call-budget/budgeted-calls.ts';
import { makeCallBudget } from '#aws/call-budget/call-budget.ts';
import { readNewestFirst } from '#aws/call-budget/read-newest-first.ts';
import { shareReads } from '#aws/call-budget/shared-reads.ts';
import { type CloudWatchLogs, makeCloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { Aws } from '#aws/regions/open-aws.ts';
import { makeRoleSessions, readCallerAccount } from '#aws/sessions/sts.ts';
import { makeSinkCalls, type SinkCalls } from '#aws/sinks/sink-calls.ts';
import { auditStorageCalls } from '#aws/storage/calls/audited-storage.ts';
import { makeStorageCalls, type StorageCalls } from '#aws/storage/calls/storage-calls.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import type { TargetSettings } from '../target.ts';

/** How the accounts of targets are used. */
export interface AccountOptions {
  aws: Aws;
  /**
   * Whether each create and each verification runs in its own session, limited to its grant. Every target
   * must have a role then.
   */
  isSessionScoped: boolean;
  audit: Audit;
  /** The limit of calls to AWS per second, for each target; 0 means no limit. */
  callsPerSecond: number;
  sessionName: string;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
  sleep: AbortableSleep;
}

/** The account of a target, with one version of its settings. */
export interface Account extends Disposable {
  /** Reads from STS the id of the account that the credentials belong to. */
  readId(): Promise<string>;
  /** CloudWatch Logs of the account. It is made at the first use. */
  logs(): CloudWatchLogs;
  /** Calls of S3 and KMS in the account. */
  storage: StorageCalls;
  /** Calls of SNS and EventBridge in the account. */
  sinks: SinkCalls;
}

/** Opens the account of a target. Its disposal refuses the calls that wait for its budget. */
export function openAccount(settings: TargetSettings, options: AccountOptions): Account {
  const { name, roleArn, externalId } = settings;
  const { aws, isSessionScoped, audit, callsPerSecond, sessionName, elapsed, sleep } = options;
  const region = aws.region(settings.region);
  const record: RecordCall = (call) => audit.awsCall({ ...call, target: name });
  const role =
    roleArn === undefined
      ? undefined
      : makeRoleSessions({ role: { roleArn, externalId }, region, sessionName, record });
  const credentials = role?.credentials;
  const scoped = isSessionScoped ? role : undefined;
  let opened: ReturnType<typeof openLogs> | undefined;

  function openLogs() {
    const stop = new AbortController();
    const budget = makeCallBudget({
      callsPerSecond,
      elapsed,
      sleep: (ms) => sleep(ms, stop.signal),
    });
    const calls = makeCloudWatchLogs({
      region,
      credentials,
      openScopedSession: scoped?.openScoped,
      credentialsFor: scoped?.forEvents,
      attempts: budget,
    });
    const budgeted = budgetCalls(auditCalls(calls, record), budget);
    const logs = readNewestFirst(shareReads(budgeted, { budget, elapsed }), { elapsed });
    return { budget, logs, stop };
  }

  return {
    readId: () => readCallerAccount({ region, credentials, record }),
    logs() {
      opened ??= openLogs();
      return opened.logs;
    },
    storage: auditStorageCalls(
      makeStorageCalls({ region, credentials, credentialsFor: scoped?.forObjects }),
      record,
    ),
    sinks: makeSinkCalls({ region, credentials, record }),
    [Symbol.dispose]() {
      opened?.budget[Symbol.dispose](); // before stop ends its pauses
      opened?.stop.abort();
    },
  };
}
