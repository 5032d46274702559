import { randomUUID } from 'node:crypto';
import { bucketArn, logsPrincipals } from '../iam/partitions.ts';
import { readPolicy } from '../iam/policy.ts';
import { type ExportOrder, foreignCourse, foreignOrder, isActive } from '../logs/export-tasks.ts';
import { addLogGroup, addLogStream, lastTimestamp, storeEvents } from '../logs/log-groups.ts';
import type { LogsRegion, LogsRegions } from '../logs/regions.ts';
import type { Settings } from '../options/settings.ts';
import type { Buckets } from '../s3/buckets.ts';
import type { Agenda } from './clock.ts';

/** Where something is; by default the ordinary account in us-east-1. */
interface SeedPlace {
  accountId?: string;
  region?: string;
}

/** Makes things without a socket, without quotas and without AWS's checks. Times are epoch ms. */
export interface Seed {
  logGroup(
    group: SeedPlace & {
      logGroupName: string;
      createdAt?: number;
      logGroupClass?: string;
      retentionInDays?: number;
    },
  ): void;
  /** Appends events of any age; makes the group and the stream if need be. */
  logEvents(
    events: SeedPlace & {
      logGroupName: string;
      logStreamName: string;
      events: readonly { timestamp: number; message: string; ingestedAt?: number }[];
    },
  ): void;
  /** A bucket whose policy lets CloudWatch Logs in; `policy: null` has none. */
  bucket(bucket: SeedPlace & { bucket: string; policy?: string | null }): void;
  /**
   * Old COMPLETED tasks, `spacingMs` (default 1000) apart, the newest that long ago; their ids,
   * oldest first. Listings have tasks in the order they were made, so seed these before others.
   * `taskId` is for a single one.
   */
  finishedTasks(
    tasks: SeedPlace & {
      count: number;
      spacingMs?: number;
      taskId?: string;
      order?: Partial<ExportOrder>;
    },
  ): string[];
  /** A task of somebody else, which takes a slot for `durationMs` whatever the limit; its id. */
  foreignTask(
    task: SeedPlace & { durationMs: number; taskId?: string; order?: Partial<ExportOrder> },
  ): string;
  /** Ends a task FAILED now. Throws unless it is PENDING or RUNNING. */
  taskFailure(task: { taskId: string }): void;
}

/** Makes the seed of one emulator. */
export function makeSeed(
  regions: LogsRegions,
  buckets: Buckets,
  clock: Agenda,
  settings: Settings,
): Seed {
  const placeOf = ({ accountId = settings.accountId, region = 'us-east-1' }: SeedPlace) => ({
    accountId,
    region,
  });

  return {
    logGroup(group) {
      const { logGroups } = regions.of(placeOf(group));
      addLogGroup(logGroups, {
        logGroupName: group.logGroupName,
        createdAt: group.createdAt ?? clock.now(),
        logGroupClass: group.logGroupClass ?? 'STANDARD',
        retentionInDays: group.retentionInDays,
      });
    },

    logEvents({ logGroupName, logStreamName, events, ...place }) {
      const strange = events.find(({ timestamp }) => !(Math.abs(timestamp) <= lastTimestamp));
      if (strange) throw new Error(`${strange.timestamp} is no date.`);
      const { logGroups } = regions.of(placeOf(place));
      const now = clock.now();
      const group =
        logGroups.get(logGroupName) ??
        addLogGroup(logGroups, {
          logGroupName,
          createdAt: now,
          logGroupClass: 'STANDARD',
          retentionInDays: undefined,
        });
      const stream = group.streams.get(logStreamName) ?? addLogStream(group, logStreamName, now);
      storeEvents(
        group,
        stream,
        events.map((event) => ({ ingestedAt: now, ...event })),
      );
    },

    bucket({ bucket: name, policy, ...place }) {
      const where = placeOf(place);
      const document = policy ?? welcomingPolicy({ ...where, name });
      buckets.add({
        ...{ name, ...where, createdAt: clock.now() },
        policy: policy === null ? undefined : readPolicy(document),
      });
    },

    finishedTasks({ count, spacingMs = 1000, taskId: givenId, order = {}, ...place }) {
      const at = regions.of(placeOf(place));
      const now = clock.now();
      return Array.from({ length: count }, (_, index) => {
        const finishedAt = now - (count - index) * spacingMs;
        const taskId = givenId ?? randomUUID();
        at.exportTasks.addFinished({
          ...foreignOrder,
          ...order,
          accountId: at.accountId,
          region: at.region,
          taskId,
          status: 'COMPLETED',
          message: 'Completed successfully',
          createdAt: finishedAt,
          finishedAt,
        });
        return taskId;
      });
    },

    foreignTask({ durationMs, taskId, order = {}, ...place }) {
      const { exportTasks } = regions.of(placeOf(place));
      const course = { ...foreignCourse(durationMs), taskId };
      return exportTasks.start({ ...foreignOrder, ...order }, course).taskId;
    },

    taskFailure({ taskId }) {
      clock.settle();
      const { exportTasks, task } = findTask(regions.all(), taskId);
      if (!isActive(task)) throw new Error(`Export task ${taskId} is not active.`);
      exportTasks.fail(task);
    },
  };
}

function findTask(regions: LogsRegion[], taskId: string) {
  for (const { exportTasks } of regions) {
    const task = exportTasks.find(taskId);
    if (task) return { exportTasks, task };
  }
  throw new Error(`There is no export task ${taskId}.`);
}

function welcomingPolicy(bucket: { name: string; region: string }): string {
  const Principal = { Service: logsPrincipals(bucket.region, 'any') };
  const arn = bucketArn(bucket);
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal, Action: 's3:GetBucketAcl', Resource: arn },
      { Effect: 'Allow', Principal, Action: 's3:PutObject', Resource: `${arn}/*` },
    ],
  });
}
