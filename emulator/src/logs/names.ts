import { partitionOf } from '../iam/partitions.ts';
import { awsError } from '../wire/aws-error.ts';
import { map, text } from '../wire/json-input.ts';

/** LogGroupName of the service model. */
export const logGroupName = text({ min: 1, max: 512, pattern: '[\\.\\-_/#A-Za-z0-9]+' });

/** LogStreamName of the service model. */
export const logStreamName = text({ min: 1, max: 512, pattern: '[^:*]*' });

/** LogGroupIdentifier of the service model: a name or an ARN. */
export const logGroupIdentifier = text({ min: 1, max: 2048, pattern: '[\\w#+=/:,.@-]*' });

/** AmazonResourceName of the service model. */
export const resourceArn = text({ min: 1, max: 1011, pattern: '[\\w+=/:,.@-]*' });

/** Maximum number of tags of a resource (service model). */
export const maxTags = 50;

const tagPattern = '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*';

/** Tags of the service model. */
export const tags = map(
  text({ min: 1, max: 128, pattern: tagPattern }),
  text({ max: 256, pattern: tagPattern }),
  { min: 1, max: maxTags },
);

/** DescribeLimit of the service model. Default: the maximum. */
export const describeLimit = { min: 1, max: 50 };

/** An account in a Region. */
interface Place {
  accountId: string;
  region: string;
}

/** Returns the ARN of a log group, without the `:*` that some answers append. */
export function logGroupArn(place: Place, name: string): string {
  const { region, accountId } = place;
  return `arn:${partitionOf(region).name}:logs:${region}:${accountId}:log-group:${name}`;
}

/**
 * Returns the name of a log group from its name or its ARN, with or without `:*`. The ARN of another account
 * or Region stays as it is, so that it names no group here (assumption).
 */
export function groupNameOf(identifier: string, place: Place): string {
  const start = logGroupArn(place, '');
  if (!identifier.startsWith(start)) return identifier;
  return identifier.slice(start.length).replace(/:\*$/, '');
}

/**
 * Returns the name of the group from one of the two members. The error without both is an
 * assumption.
 */
export function chooseGroup(
  input: {
    logGroupName: string | undefined;
    logGroupIdentifier: string | undefined;
  },
  place: Place,
): string {
  const { logGroupName: name, logGroupIdentifier: identifier } = input;
  if (name !== undefined && identifier !== undefined) {
    throw awsError(
      'ValidationException',
      'LogGroup name and LogGroup ARN are mutually exclusive parameters.',
    );
  }
  const chosen = name ?? (identifier && groupNameOf(identifier, place));
  if (chosen !== undefined) return chosen;
  throw awsError(
    'InvalidParameterException',
    'Either LogGroup name or LogGroup ARN must be provided.',
  );
}
