import type { Agenda } from '../control/clock.ts';
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
  /** Counts a call against the quotas; throws ThrottlingException. */
  admit(operation: string): void;
}

/** All of CloudWatch Logs, by account and Region; each comes into being when first looked at. */
export interface LogsRegions {
  all(): LogsRegion[];
  of(place: { accountId: string; region: string }): LogsRegion;
}

/** Makes CloudWatch Logs without groups or tasks. */
export function makeLogsRegions(buckets: Buckets, clock: Agenda, settings: Settings): LogsRegions {
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

/** Writes a task's objects. Without bucket, group or permission it fails (assumption). */
function makeWriteExport(
  logGroups: LogGroups,
  buckets: Buckets,
  clock: Agenda,
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

/**
 * A token bucket per operation, refilled by the clock; it holds one second's worth, at least a
 * call.
 */
function makeThrottle(settings: Pick<Settings, 'rateLimits'>, clock: Agenda) {
  const buckets = new Map<string, { tokens: number; filledAt: number }>();

  return (operation: string): void => {
    const rate = settings.rateLimits[operation];
    if (rate === undefined) return;
    const now = clock.now();
    const depth = Math.max(1, rate);
    const { tokens, filledAt } = buckets.get(operation) ?? { tokens: depth, filledAt: now };
    const refilled = Math.min(depth, tokens + (Math.max(0, now - filledAt) / 1000) * rate);
    const isOver = refilled < 1;
    buckets.set(operation, { tokens: isOver ? refilled : refilled - 1, filledAt: now });
    if (isOver) throw awsError('ThrottlingException', 'Rate exceeded');
  };
}
