import { partitionOf } from '../iam/partitions.ts';
import { text } from '../wire/json-input.ts';

/** LogGroupName of the service model. */
export const logGroupName = text({ min: 1, max: 512, pattern: '[\\.\\-_/#A-Za-z0-9]+' });

/** LogStreamName of the service model. */
export const logStreamName = text({ min: 1, max: 512, pattern: '[^:*]*' });

/** LogGroupIdentifier of the service model: a name or an ARN. */
export const logGroupIdentifier = text({ min: 1, max: 2048, pattern: '[\\w#+=/:,.@-]*' });

/** DescribeLimit of the service model; an absent limit means its maximum. */
export const describeLimit = { min: 1, max: 50 };

/** The ARN of a log group, without the `:*` that some answers append. */
export function logGroupArn(place: { accountId: string; region: string }, name: string): string {
  const { region, accountId } = place;
  return `arn:${partitionOf(region).name}:logs:${region}:${accountId}:log-group:${name}`;
}
