import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Reading } from '#aws/storage/storage.ts';
import { targetNotFound } from '../registry/target-entry.ts';
import type { OpenTarget, Targets } from '../target.ts';
import type { TargetAccess } from '../target-access.ts';
import { type Check, type Preflight, toPreflight } from './check.ts';
import { checkBucket } from './checks/bucket-checks.ts';
import { checkBucketPolicy } from './checks/bucket-policy-check.ts';
import {
  checkLifecycle,
  checkListing,
  checkObjectLock,
  checkOwnership,
} from './checks/bucket-settings-checks.ts';
import { checkCallerPermission } from './checks/caller-permission-check.ts';
import { checkEncryption } from './checks/encryption-checks.ts';
import { checkEvents } from './checks/event-check.ts';
import { checkLogGroups, type ExportWindow } from './checks/log-group-checks.ts';
import {
  checkQueue,
  checkRole,
  checkSlot,
  type QueueForecast,
  type SliceArrival,
} from './checks/slot-checks.ts';
import { readDestination } from './destination-readings.ts';
import type { LogGroupFacts } from './log-groups-reading.ts';
import { knownValue } from './readings.ts';

/** An export that its caller is permitted, to be checked. */
interface PreflightQuery {
  destination: string;
  /** The prefix as AWS gets it. */
  destinationPrefix: string;
  logGroupNames: readonly string[];
  /** What AWS says of them. */
  logGroups: Reading<LogGroupFacts>;
  logStreamNamePrefix?: string | undefined;
  /** Without it, the events are not looked at. */
  window: ExportWindow | undefined;
  /** The slices and their priority, for the forecast of the queue. */
  arrivals: readonly SliceArrival[];
  priority: number;
}

/** Checks an export. It changes nothing. */
export type RunPreflight = (
  request: CallerRequest,
  target: OpenTarget,
  query: PreflightQuery,
) => Promise<Preflight>;

/** What a preflight needs beside the target. */
export interface PreflightSources {
  targets: Pick<Targets, 'look'>;
  access: Pick<TargetAccess, 'readStatus'>;
  /** The forecast for slices of a caller; absent when jobs are off. */
  forecast:
    | ((
        target: string,
        arrivals: readonly SliceArrival[],
        priority: number,
        caller: string,
      ) => Promise<QueueForecast>)
    | undefined;
  now: () => number;
}

/** Makes the preflight of exports. */
export function makePreflight({ targets, access, forecast, now }: PreflightSources): RunPreflight {
  return async function runPreflight(request, target, query) {
    const { logGroups, logStreamNamePrefix, window, arrivals, priority } = query;
    const { name } = target;
    const caller = request.principal.id;
    const found = knownValue(logGroups)?.found ?? [];
    const existing = found.map(({ logGroupName }) => logGroupName);
    const checks = await Promise.all([
      [checkRole(target)],
      checkDestination(target, query, caller),
      checkLogs(),
      checkSlot(async () => {
        const known = targets.look(name);
        if (!known) throw targetNotFound();
        return access.readStatus(request, known);
      }),
      forecast ? checkQueue(() => forecast(name, arrivals, priority, caller)) : [],
    ]);
    return toPreflight(checks.flat());

    async function checkLogs(): Promise<Check[]> {
      const search = { logGroupNames: existing, logStreamNamePrefix };
      const events =
        window && existing.length > 0
          ? await checkEvents(target.logs, { ...search, window }, { caller })
          : undefined;
      const facts = { now: now(), withEvents: events?.foundIn };
      return [...checkLogGroups(logGroups, window, facts), ...(events ? [events.check] : [])];
    }
  };
}

/** An export, as far as its destination is concerned. */
type DestinationQuery = Pick<PreflightQuery, 'destination' | 'destinationPrefix' | 'logGroupNames'>;

/** Checks the bucket. What depends on a bucket that cannot be used is not checked. */
export async function checkDestination(
  target: Pick<OpenTarget, 'region' | 'accountId' | 'roleArn' | 'storage'>,
  { destination: bucket, destinationPrefix, logGroupNames }: DestinationQuery,
  caller: string,
): Promise<Check[]> {
  const { region, accountId, roleArn, storage } = target;
  const readings = await readDestination(storage, { bucket, destinationPrefix }, { caller });
  const found = checkBucket({ bucket, region }, readings.bucket);
  if (found.some(({ verdict }) => verdict === 'fail')) return found;
  const isOwn = knownValue(readings.bucket)?.isOwn;
  const source = { region, accountId };
  const query = { ...source, bucket, destinationPrefix, logGroupNames, isOwn };
  const checks = await Promise.all([
    checkBucketPolicy(query, readings.policy),
    checkCallerPermission({ ...query, roleArn }, readings.policy),
    checkEncryption({ ...source, logGroupName: logGroupNames[0] }, readings),
  ]);
  return [
    ...found,
    ...checks.flat(),
    checkOwnership(readings.ownership, isOwn),
    checkObjectLock(readings.objectLock),
    checkLifecycle(readings.lifecycle, destinationPrefix),
    checkListing(readings.listing),
  ];
}
