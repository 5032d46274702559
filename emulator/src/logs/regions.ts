import type { Scheduler } from '../control/clock.ts';
import type { Keys } from '../kms/keys.ts';
import type { Settings } from '../options/settings.ts';
import type { Buckets } from '../s3/buckets.ts';
import { awsError } from '../wire/aws-error.ts';
import { type ExportTasks, makeExportTasks } from './exports/export-tasks.ts';
import { makeWriteExport } from './exports/write-export.ts';
import type { LogGroups } from './log-groups.ts';
import type { LogsQueries } from './queries.ts';

/** CloudWatch Logs of one account in one Region. */
export interface LogsRegion {
  accountId: string;
  region: string;
  logGroups: LogGroups;
  exportTasks: ExportTasks;
  queries: LogsQueries;
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
  keys: Keys,
  clock: Scheduler,
  settings: Settings,
): LogsRegions {
  const regions = new Map<string, LogsRegion>();

  const open = (accountId: string, region: string): LogsRegion => {
    const logGroups: LogGroups = new Map();
    const write = makeWriteExport(logGroups, buckets, keys, clock, settings);
    return {
      accountId,
      region,
      logGroups,
      exportTasks: makeExportTasks({ accountId, region }, clock, settings, write),
      queries: new Map(),
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
