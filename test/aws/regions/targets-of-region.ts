import { type CloudWatchLogs, makeCloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { CreateOutcome } from '#aws/create-outcome.ts';
import type { Aws } from '#aws/regions/open-aws.ts';
import { makeRoleSessions, readCallerAccount } from '#aws/sessions/sts.ts';
import { region, type World } from '../../world.ts';
import { openTestAws } from '../open-logs.ts';

/** A target in an account of its own. */
interface AccountTarget {
  accountId: string;
  logs: CloudWatchLogs;
  /** Reads the account from STS, as the check of a target does. */
  check(): Promise<string>;
  /** Creates an export that the account may create. */
  create(): Promise<CreateOutcome>;
  /** Creates it in a session of its own. */
  createScoped(): Promise<CreateOutcome>;
  /** What the SDK reported to its budget. */
  attempts: string[];
}

/** Opens one target for each account, all in one Region. Use it with `using`. */
export function openTargetsOf(
  accounts: string[],
  world: World,
  options: { elapsed?: () => number } = {},
): { targets: AccountTarget[]; aws: Aws } & Disposable {
  const aws = openTestAws(options);
  const shared = aws.region(region);
  const targets = accounts.map((accountId) => {
    world.emulator.seed.logGroup({ region, accountId, logGroupName: `/app/${accountId}` });
    world.emulator.seed.bucket({ region, accountId, bucket: `archive-${accountId}` });
    const role = { roleArn: `arn:aws:iam::${accountId}:role/log-export` };
    const record = () => {};
    const how = { region: shared, sessionName: 'test', record };
    const { credentials, openScoped } = makeRoleSessions({ role, ...how });
    const attempts: string[] = [];
    const listener = {
      count: () => attempts.push('retry'),
      reduce: () => attempts.push('throttled'),
    };
    const common = { region: shared, credentials, attempts: listener };
    const logs = makeCloudWatchLogs(common);
    const scoped = makeCloudWatchLogs({ ...common, openScopedSession: openScoped });
    const grant = {
      logGroupName: `/app/${accountId}`,
      destination: `archive-${accountId}`,
      destinationPrefix: 'exports',
    };
    const task = { ...grant, from: 0n, to: 1n };
    return {
      accountId,
      logs,
      attempts,
      check: () => readCallerAccount({ region: shared, credentials, record }),
      create: () => logs.createExportTask(task),
      createScoped: () => scoped.createExportTask(task, { grant, caller: `test#${accountId}` }),
    };
  });
  return { targets, aws, [Symbol.dispose]: () => aws[Symbol.dispose]() };
}
