import { awsError } from '../../../wire/aws-error.ts';
import { flag, integer, list, optional, text } from '../../../wire/json-input.ts';
import type { LogGroup } from '../../log-groups.ts';
import {
  describeLimit,
  groupNameOf,
  logGroupArn,
  logGroupIdentifier,
  logGroupName,
} from '../../names.ts';
import { readNextToken, writeNextToken } from '../../next-token.ts';
import { type LogsContext, makeOperation } from '../../operation.ts';
import { logGroupClasses } from './create-log-group.ts';

const operation = 'DescribeLogGroups';

/**
 * DescribeLogGroups: sorted by name. Shows only the account of the caller; account filters are
 * ignored.
 */
export const describeLogGroups = makeOperation(
  {
    accountIdentifiers: optional(list(text({ min: 12, max: 12, pattern: '\\d{12}' }), { max: 20 })),
    logGroupNamePrefix: optional(logGroupName),
    logGroupNamePattern: optional(text({ max: 512, pattern: '[\\.\\-_/#A-Za-z0-9]*' })),
    nextToken: optional(text({ min: 1 })),
    limit: optional(integer(describeLimit)),
    includeLinkedAccounts: optional(flag()),
    logGroupClass: optional(text({ values: logGroupClasses })),
    logGroupIdentifiers: optional(list(logGroupIdentifier, { min: 1, max: 50 })),
  },
  (input, { logs, clock, settings }) => {
    const { logGroupNamePrefix: prefix, logGroupNamePattern: pattern } = input;
    if (prefix !== undefined && pattern !== undefined) {
      throw awsError(
        'InvalidParameterException',
        'LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.',
      );
    }
    const now = clock.now();
    const ttlMs = settings.nextTokenTtlMs;
    const after =
      input.nextToken && readNextToken<string>(input.nextToken, { operation, now, ttlMs });
    const names = input.logGroupIdentifiers?.map((one) => groupNameOf(one, logs));
    const groups = [...logs.logGroups.values()]
      .filter(
        (group) =>
          group.logGroupName.startsWith(prefix ?? '') &&
          group.logGroupName.includes(pattern ?? '') &&
          isOfClass(group, input.logGroupClass) &&
          (names?.includes(group.logGroupName) ?? true) &&
          (after === undefined || group.logGroupName > after),
      )
      .sort((left, right) => (left.logGroupName < right.logGroupName ? -1 : 1));

    const page = groups.slice(0, Number(input.limit ?? describeLimit.max));
    const last = page.at(-1);
    const nextToken =
      last && page.length < groups.length
        ? writeNextToken(operation, last.logGroupName, now)
        : undefined;
    return { output: { logGroups: page.map((group) => showGroup(group, logs)), nextToken } };
  },
);

/** A filter for one of these classes also finds the other (service model). */
const infrequent = new Set(['INFREQUENT_ACCESS', 'ESSENTIALS']);

function isOfClass({ logGroupClass }: LogGroup, wanted = logGroupClass): boolean {
  return logGroupClass === wanted || (infrequent.has(logGroupClass) && infrequent.has(wanted));
}

/** A group as AWS shows it (recorded): `arn` ends in `:*`, `logGroupArn` does not. */
function showGroup(group: LogGroup, place: LogsContext['logs']) {
  const arn = logGroupArn(place, group.logGroupName);
  return {
    logGroupName: group.logGroupName,
    creationTime: group.createdAt,
    retentionInDays: group.retentionInDays,
    metricFilterCount: 0,
    arn: `${arn}:*`,
    storedBytes: group.storedBytes,
    logGroupClass: group.logGroupClass,
    logGroupArn: arn,
    deletionProtectionEnabled: group.isDeletionProtected,
    retentionPolicyName: group.retentionPolicyName,
  };
}
