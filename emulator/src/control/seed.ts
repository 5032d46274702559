import { randomUUID } from 'node:crypto';
import { bucketArn, logsPrincipals } from '../iam/partitions.ts';
import { readPolicy } from '../iam/policy.ts';
import type { Keys, KmsKey } from '../kms/keys.ts';
import {
  type ExportOrder,
  foreignCourse,
  foreignOrder,
  isActive,
} from '../logs/exports/export-tasks.ts';
import { addLogGroup, addLogStream, lastTimestamp, storeEvents } from '../logs/log-groups.ts';
import type { LogsRegion, LogsRegions } from '../logs/regions.ts';
import type { Settings } from '../options/settings.ts';
import type { Buckets } from '../s3/buckets.ts';
import { type BucketSettings, writeConfigurations } from '../s3/configurations.ts';
import type { Scheduler } from './clock.ts';

/** Account and Region of the seeded data. Default: the option `accountId`, and us-east-1. */
interface SeedPlace {
  accountId?: string | undefined;
  region?: string | undefined;
}

/** Adds data directly, without AWS's checks and quotas. Times are epoch ms. */
export interface Seed {
  logGroup(
    group: SeedPlace & {
      logGroupName: string;
      createdAt?: number;
      logGroupClass?: string;
      retentionInDays?: number;
      /** Name of the account policy that sets `retentionInDays`. */
      retentionPolicyName?: string;
      isDeletionProtected?: boolean;
    },
  ): void;
  /** Appends events of any age. Creates the group and the stream if they do not exist. */
  logEvents(
    events: SeedPlace & {
      logGroupName: string;
      logStreamName: string;
      events: readonly { timestamp: number; message: string; ingestedAt?: number }[];
    },
  ): void;
  /** Adds a bucket. Default policy: one that permits exports; null means no policy. */
  bucket(bucket: SeedPlace & BucketSettings & { bucket: string; policy?: string | null }): void;
  /**
   * Adds a key of KMS and returns its ARN. Default policy: that of KMS, by which the account decides;
   * CloudWatch Logs may not use such a key.
   */
  key(
    key: SeedPlace & {
      keyId?: string;
      /** Begins with `alias/`. */
      alias?: string;
      state?: KmsKey['state'];
      policy?: string;
    },
  ): string;
  /**
   * Adds COMPLETED tasks and returns their ids, oldest first. The newest finished `spacingMs` (default
   * 1000) ago, the others `spacingMs` apart. Listings keep the order in which tasks were added, so add
   * these first. `taskId` is for a count of 1.
   */
  finishedTasks(
    tasks: SeedPlace & {
      count: number;
      spacingMs?: number;
      taskId?: string;
      order?: Partial<ExportOrder>;
    },
  ): string[];
  /**
   * Starts a task of another client, even above the limit, and returns its id. It holds a slot for
   * `durationMs`.
   */
  foreignTask(
    task: SeedPlace & { durationMs: number; taskId?: string; order?: Partial<ExportOrder> },
  ): string;
  /** Ends a task FAILED now. @throws an error unless it is PENDING or RUNNING */
  taskFailure(task: { taskId: string }): void;
}

/** Makes the seed of one emulator. */
export function makeSeed(
  regions: LogsRegions,
  buckets: Buckets,
  keys: Keys,
  clock: Scheduler,
  settings: Settings,
): Seed {
  const placeOf = ({ accountId = settings.accountId, region = 'us-east-1' }: SeedPlace) => ({
    accountId,
    region,
  });

  return {
    logGroup({ accountId, region, ...group }) {
      const { logGroups } = regions.of(placeOf({ accountId, region }));
      addLogGroup(logGroups, { createdAt: clock.now(), ...group });
    },

    logEvents({ logGroupName, logStreamName, events, ...place }) {
      const invalid = events.find(({ timestamp }) => !(Math.abs(timestamp) <= lastTimestamp));
      if (invalid) throw new Error(`The timestamp ${invalid.timestamp} is not a date.`);
      const { logGroups } = regions.of(placeOf(place));
      const now = clock.now();
      const group =
        logGroups.get(logGroupName) ?? addLogGroup(logGroups, { logGroupName, createdAt: now });
      const stream = group.streams.get(logStreamName) ?? addLogStream(group, logStreamName, now);
      storeEvents(
        group,
        stream,
        events.map((event) => ({ ingestedAt: now, ...event })),
      );
    },

    bucket({ bucket: name, policy, accountId, region, ...bucketSettings }) {
      const where = placeOf({ accountId, region });
      const document = policy ?? policyForExports({ ...where, name });
      buckets.add({
        ...where,
        name,
        createdAt: clock.now(),
        policy: policy === null ? undefined : readPolicy(document),
        configurations: writeConfigurations(bucketSettings),
      });
    },

    key({ keyId, alias, state, policy: document, ...place }) {
      const policy = document === undefined ? undefined : readPolicy(document);
      if (document !== undefined && !policy) throw new Error('The policy of the key is not valid.');
      return keys.add({
        ...placeOf(place),
        createdAt: clock.now(),
        ...(keyId && { keyId }),
        ...(state && { state }),
        ...(policy && { policy }),
        ...(alias && { aliases: [alias] }),
      }).arn;
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
      clock.runDue();
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
  throw new Error(`Export task ${taskId} does not exist.`);
}

function policyForExports(bucket: { name: string; region: string }): string {
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
