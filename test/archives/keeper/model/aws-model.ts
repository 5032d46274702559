import type { LogGroup } from '#aws/log-groups/describe-log-groups.ts';
import type { Reading } from '#aws/storage/storage.ts';
import { Problem } from '#problems/problem.ts';
import type { KnownTarget, OpenTarget, Targets } from '#targets/target.ts';

export const dayMs = 86_400_000;

/** A log group from its creation to its deletion, with all retentions that it had. */
export interface ModelLogGroup {
  logGroupName: string;
  createdAt: number;
  goneAt: number | undefined;
  /** Each from its instant on, the oldest first. Null: log events never expire. `isListed`: a listing had it. */
  retentions: { at: number; days: number | null; isListed: boolean }[];
}

/** An export that AWS has completed, and what was in it. */
export interface ModelExport {
  jobId: string;
  /** The log group that had the name when the export was sent. */
  of: ModelLogGroup;
  fromAt: number;
  toAt: number;
  sentAt: number;
  revision: number;
  /** Log events before this instant had expired when the export was sent. */
  wholeFrom: number;
}

/** AWS as far as an archive sees it, with its whole history. */
export interface AwsModel {
  groups: ModelLogGroup[];
  exports: ModelExport[];
  hasBucket: boolean;
  find(logGroupName: string): ModelLogGroup | undefined;
  retentionAt(group: ModelLogGroup, at: number): number | null;
  /** Log events before this instant may be gone. AWS deletes them up to three days after they have expired. */
  expiredBefore(group: ModelLogGroup, at: number): number;
  /** The same, with those that were deleted under an earlier retention that the archive knew. */
  goneBefore(group: ModelLogGroup, at: number): number;
}

/** Makes AWS without log groups. */
export function makeAwsModel(): AwsModel {
  const groups: ModelLogGroup[] = [];
  const retentionAt: AwsModel['retentionAt'] = ({ retentions }, at) =>
    retentions.findLast((each) => each.at <= at)?.days ?? null;
  const expiredBefore: AwsModel['expiredBefore'] = (group, at) => {
    const recent = group.retentions.filter((each) => each.at > at - 3 * dayMs && each.at <= at);
    const all = [retentionAt(group, at - 3 * dayMs), ...recent.map(({ days }) => days)];
    return Math.min(...all.map((days) => (days === null ? -Infinity : at - days * dayMs)));
  };
  return {
    groups,
    exports: [],
    hasBucket: true,
    find: (name) => groups.find((each) => each.logGroupName === name && each.goneAt === undefined),
    retentionAt,
    expiredBefore,
    goneBefore(group, at) {
      // While a retention stays, more and more expires. Only the next one can keep more.
      const ends = group.retentions.flatMap((each, index) =>
        each.at <= at && group.retentions[index - 1]?.isListed === true ? each.at - 1 : [],
      );
      return Math.max(...[...ends, at].map((end) => expiredBefore(group, end)));
    },
  };
}

const region = 'eu-west-1';
const accountId = '123456789012';

/** The targets in front of the model. `isUp`: whether AWS answers. */
export function targetsOf(
  model: AwsModel,
  now: () => number,
  isUp: () => boolean,
): Pick<Targets, 'find' | 'look' | 'whyClosed'> {
  const unknown: Reading<never> = {
    outcome: 'unknown',
    problem: new Problem('aws-unavailable', 'Not in the model.'),
  };
  const read = async () => unknown;
  const logs = {
    async describeLogGroups({ logGroupNamePrefix = '' }: { logGroupNamePrefix?: string }) {
      if (!isUp()) throw new Problem('aws-unavailable', 'AWS does not answer.');
      const logGroups = model.groups
        .filter((each) => each.goneAt === undefined)
        .filter((each) => each.logGroupName.startsWith(logGroupNamePrefix))
        .map((each): LogGroup => {
          const days = model.retentionAt(each, now());
          const listed = each.retentions.at(-1);
          if (listed) listed.isListed = true;
          const { logGroupName, createdAt: creationTime } = each;
          return { logGroupName, creationTime, ...(days !== null && { retentionInDays: days }) };
        });
      return { logGroups };
    },
  };
  const storage = {
    readBucket: async (): Promise<Reading<object>> =>
      model.hasBucket
        ? { outcome: 'known', value: { region, isOwn: true } }
        : { outcome: 'absent' },
    readBucketPolicy: read,
    readEncryption: read,
    readObjectOwnership: read,
    readObjectLock: read,
    readLifecycle: read,
    listObjects: async () => ({ objects: [] }),
  };
  const target = {
    name: 'default',
    region,
    accountId,
    roleArn: undefined,
    isDefault: true,
    isDraining: () => false,
    logs,
    storage,
  } as unknown as OpenTarget;
  return {
    find: () => target,
    look: () => ({ name: 'default', region, accountId }) as KnownTarget,
    whyClosed: () => undefined,
  };
}
