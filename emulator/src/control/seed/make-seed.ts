import { randomUUID } from 'node:crypto';
import { bucketArn, logsPrincipals } from '../../iam/partitions.ts';
import { type Policy, readPolicy } from '../../iam/policy.ts';
import type { Keys } from '../../kms/keys.ts';
import { foreignCourse, foreignOrder, isActive } from '../../logs/exports/export-tasks.ts';
import { addLogGroup, addLogStream, lastTimestamp, storeEvents } from '../../logs/log-groups.ts';
import type { LogsRegion, LogsRegions } from '../../logs/regions.ts';
import type { Settings } from '../../options/settings.ts';
import type { Buckets } from '../../s3/buckets.ts';
import { writeConfigurations } from '../../s3/configurations.ts';
import type { Topics } from '../../sns/topics.ts';
import type { Scheduler } from '../clock.ts';
import { checkEvents, withChecks } from './check-seed.ts';
import type { Seed, SeedPlace } from './seed.ts';

/** What a seed adds to. */
interface SeedWorld {
  regions: LogsRegions;
  buckets: Buckets;
  keys: Keys;
  topics: Topics;
  clock: Scheduler;
  settings: Settings;
}

/** Makes the seed of one emulator. */
export function makeSeed({ regions, buckets, keys, topics, clock, settings }: SeedWorld): Seed {
  const placeOf = ({ accountId = settings.accountId, region = 'us-east-1' }: SeedPlace) => ({
    accountId,
    region,
  });

  return withChecks({
    logGroup({ accountId, region, ...group }) {
      const { logGroups } = regions.of(placeOf({ accountId, region }));
      addLogGroup(logGroups, { createdAt: clock.now(), ...group });
    },

    logEvents({ logGroupName, logStreamName, events, ...place }) {
      checkEvents(events);
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
        events.map((event) => ({ ingestedAt: Math.min(event.timestamp, now), ...event })),
      );
    },

    bucket({ bucket: name, policy, accountId, region, ...bucketSettings }) {
      const where = placeOf({ accountId, region });
      const given = policy === undefined ? policyForExports({ ...where, name }) : policy;
      buckets.add({
        ...where,
        name,
        createdAt: clock.now(),
        policy: given === null ? undefined : soundPolicy(given, 'bucket'),
        configurations: writeConfigurations(bucketSettings),
      });
    },

    key({ keyId, alias, state, policy: document, ...place }) {
      const policy = document === undefined ? undefined : soundPolicy(document, 'key');
      return keys.add({
        ...placeOf(place),
        createdAt: clock.now(),
        ...(keyId && { keyId }),
        ...(state && { state }),
        ...(policy && { policy }),
        ...(alias && { aliases: [alias] }),
      }).arn;
    },

    topic: ({ name, ...place }) => topics.add({ ...placeOf(place), name }).arn,

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
  });
}

function findTask(regions: LogsRegion[], taskId: string) {
  for (const { exportTasks } of regions) {
    const task = exportTasks.find(taskId);
    if (task) return { exportTasks, task };
  }
  throw new Error(`Export task ${taskId} does not exist.`);
}

function soundPolicy(document: string, owner: 'bucket' | 'key'): Policy {
  const policy = readPolicy(document);
  if (!policy) throw new Error(`The policy of the ${owner} is not valid.`);
  return policy;
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
