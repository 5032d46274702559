import type { Audit } from '#audit/audit.ts';
import { auditCalls, type RecordCall } from '#aws/audited-calls.ts';
import { asDispatcher, budgetCalls } from '#aws/call-budget/budgeted-calls.ts';
import { makeCallBudget } from '#aws/call-budget/call-budget.ts';
import { readNewestFirst } from '#aws/call-budget/read-newest-first.ts';
import { shareReads } from '#aws/call-budget/shared-reads.ts';
import type { AwsConnectionOptions } from '#aws/client/connections.ts';
import { makeCloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { openAws } from '#aws/regions/open-aws.ts';
import { makeRoleSessions, readCallerAccount } from '#aws/sessions/sts.ts';
import { configError } from '#problems/config-error.ts';
import { Problem } from '#problems/problem.ts';
import type { Log } from '#telemetry/log.ts';
import { backOffMs } from '#time/back-off.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import type { OpenTarget, TargetSettings, Targets } from './target.ts';

// Pauses before an account is checked again, after STS did not answer or refused.
const pauses = { firstMs: 1_000, maxMs: 60_000 }; // a refused role costs STS one call a minute

/** The configuration of the targets, and their clocks. */
export interface TargetsOptions extends AwsConnectionOptions {
  settings: readonly TargetSettings[];
  /** Whether each create runs in its own session, limited to its grant. Every target must have a role then. */
  isSessionScoped: boolean;
  audit: Audit;
  /** The limit of calls to AWS per second, for each target; 0 means no limit. */
  callsPerSecond: number;
  sessionName: string;
  now: () => number;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
  sleep: AbortableSleep;
  log: Pick<Log, 'warn'>;
}

/**
 * Opens every target and starts to check with STS that its account is the configured one. Until then its
 * calls return 503: a wrong role must not export anything.
 */
export function openTargets(options: TargetsOptions): Targets {
  const { settings, isSessionScoped, audit, timeouts, proxyEnv, callsPerSecond } = options;
  const { sessionName, now, elapsed, sleep, log } = options;
  const aws = openAws({ timeouts, proxyEnv, elapsed });
  const stop = new AbortController();
  const checked = new Map<string, OpenTarget>();
  const listeners: ((name: string) => void)[] = [];
  const opened = settings.map(openTarget);
  const whenChecked = Promise.all(opened.map((target) => target.whenChecked)).then(() => {});
  whenChecked.catch(() => {}); // the caller that awaits it gets the error

  function openTarget(setting: TargetSettings, index: number) {
    const { name, roleArn, externalId } = setting;
    const region = aws.region(setting.region);
    const record: RecordCall = (call) => audit.awsCall({ ...call, target: name });
    const role = roleArn
      ? makeRoleSessions({ role: { roleArn, externalId }, region, sessionName, now, record })
      : undefined;
    const credentials = role?.credentials;
    const openScopedSession = isSessionScoped ? role?.openScoped : undefined;
    const budget = makeCallBudget({
      callsPerSecond,
      elapsed,
      sleep: (ms) => sleep(ms, stop.signal),
    });
    const attempts = budget;
    const logs = makeCloudWatchLogs({ region, credentials, openScopedSession, attempts });

    async function check(): Promise<OpenTarget | undefined> {
      const accountId = await readAccountUntilAnswered();
      if (accountId === undefined) return undefined;
      const expected = setting.accountId ?? accountIdOf(roleArn) ?? accountId;
      if (accountId !== expected) {
        throw configError(
          `Target "${name}" is configured for account ${expected}, but its credentials belong to account ${accountId}.`,
        );
      }
      const isDefault = index === 0;
      const budgeted = budgetCalls(auditCalls(logs, record), budget);
      const shared = readNewestFirst(shareReads(budgeted, { budget, elapsed }), { elapsed });
      const target = {
        name,
        region: setting.region,
        accountId,
        isDefault,
        logs: shared,
        isDraining: () => false,
      };
      checked.set(name, target);
      for (const act of listeners) act(name);
      return target;
    }

    async function readAccountUntilAnswered(): Promise<string | undefined> {
      for (let failures = 0; ; failures += 1) {
        try {
          return await readCallerAccount({ region, credentials, record });
        } catch (err) {
          if (stop.signal.aborted) return undefined;
          const retryInMs = backOffMs(failures, pauses);
          const facts = { err, target: name, retryInMs };
          log.warn(facts, 'failed to check the account of a target with STS, retrying');
          await sleep(retryInMs, stop.signal);
          if (stop.signal.aborted) return undefined;
        }
      }
    }

    return {
      whenChecked: check(),
      refuseWaiting: () => budget[Symbol.dispose](),
    };
  }

  return {
    whenChecked,
    find(name = settings[0]?.name ?? '') {
      const target = checked.get(name);
      if (target) return target;
      if (settings.some((setting) => setting.name === name)) {
        throw new Problem(
          'not-ready',
          `The account of target ${JSON.stringify(name)} is not checked yet.`,
        );
      }
      const detail = 'No target with this name exists, or you are not allowed to see it.';
      throw new Problem('target-not-found', detail);
    },
    list: () =>
      settings.flatMap(({ name }) => {
        const target = checked.get(name);
        return target ? [target] : [];
      }),
    forDispatcher(name) {
      const target = checked.get(name);
      return target && { ...target, logs: asDispatcher(target.logs) };
    },
    onChange: (act) => void listeners.push(act),
    release() {},
    unchecked: () => settings.flatMap(({ name }) => (checked.has(name) ? [] : [name])),
    async [Symbol.asyncDispose]() {
      for (const target of opened) target.refuseWaiting(); // before stop ends their pauses
      stop.abort();
      aws[Symbol.dispose]();
    },
  };
}

function accountIdOf(roleArn: string | undefined): string | undefined {
  return roleArn?.split(':')[4];
}
