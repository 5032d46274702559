import type { Scheduler } from '../control/clock.ts';
import type { Settings } from '../options/settings.ts';
import type { Buckets } from '../s3/buckets.ts';
import { mayWrite } from '../s3/log-delivery.ts';
import { awsError } from '../wire/aws-error.ts';
import { exportFiles } from './export-files.ts';
import { type ExportTasks, makeExportTasks, type WriteExport } from './export-tasks.ts';
import type { LogGroups } from './log-groups.ts';

/** CloudWatch Logs of one account in one Region. */
export interface LogsRegion {
  accountId: string;
  region: string;
  logGroups: LogGroups;
  exportTasks: ExportTasks;
  /** Counts a call against its quota. @throws ThrottlingException */
  admit(operation: string): void;
}

/** All of CloudWatch Logs, by account and Region. Each Region is created at its first use. */
export interface LogsRegions {
  all(): LogsRegion[];
  of(place: { accountId: string; region: string }): LogsRegion;
}

/** Makes an empty CloudWatch Logs. */
export function makeLogsRegions(
  buckets: Buckets,
  clock: Scheduler,
  settings: Settings,
): LogsRegions {
  const regions = new Map<string, LogsRegion>();

  const open = (accountId: string, region: string): LogsRegion => {
    const logGroups: LogGroups = new Map();
    const write = makeWriteExport(logGroups, buckets, clock, settings);
    return {
      accountId,
      region,
      logGroups,
      exportTasks: makeExportTasks({ accountId, region }, clock, settings, write),
      admit: makeThrottle(settings, clock),
    };
  };

  return {
    all: () => [...regions.values()],
    of({ accountId, region }) {
      const key = `${accountId}/${region}`;
      const known = regions.get(key) ?? open(accountId, region);
      regions.set(key, known);
      return known;
    },
  };
}

/** Writes the objects of a task. Fails without the bucket, the group or the permission (assumption). */
function makeWriteExport(
  logGroups: LogGroups,
  buckets: Buckets,
  clock: Scheduler,
  settings: Settings,
): WriteExport {
  return (task) => {
    const bucket = buckets.find(task.destination);
    const group = logGroups.get(task.logGroupName);
    if (!bucket || !group) return false;
    const files = exportFiles(task, group, settings);
    if (!files.every(({ key }) => mayWrite(bucket, task, settings, key))) return false;
    for (const { key, body } of files) {
      buckets.putObject(bucket, key, { body, lastModified: clock.now() });
    }
    return true;
  };
}

/** A token bucket for each operation. It holds the calls of one second, and at least one call. */
function makeThrottle(settings: Pick<Settings, 'rateLimits'>, clock: Scheduler) {
  const buckets = new Map<string, { tokens: number; filledAt: number }>();

  return (operation: string): void => {
    const rate = settings.rateLimits[operation];
    if (rate === undefined) return;
    const now = clock.now();
    const depth = Math.max(1, rate);
    const { tokens, filledAt } = buckets.get(operation) ?? { tokens: depth, filledAt: now };
    const refilled = Math.min(depth, tokens + (Math.max(0, now - filledAt) / 1000) * rate);
    const isEmpty = refilled < 1;
    buckets.set(operation, { tokens: isEmpty ? refilled : refilled - 1, filledAt: now });
    if (isEmpty) throw awsError('ThrottlingException', 'Rate exceeded');
  };
}
