import type { ExportGrant } from '../call-options.ts';
import { defaultDestinationPrefix, testObjectName } from '../destination-prefix.ts';
import { partitionOf } from '../endpoint/partition.ts';

/** The partition, account and Region of a role. */
export interface RoleLocation {
  partition: string;
  accountId: string;
  region: string;
}

export const maxPolicyCharacters = 2_048; // the limit of STS

export const denyAll = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
});

/**
 * The session policy that allows a role to create the granted export and nothing else; without a grant,
 * nothing at all. Log group and bucket are always exact. A prefix that is too long for STS, or has
 * characters STS does not accept, is matched as far as possible.
 */
export function sessionPolicyFor(role: RoleLocation, grant: ExportGrant | undefined): string {
  if (!grant) return denyAll;
  const room = maxPolicyCharacters - policyFor(role, grant, '').length;
  const keys = patternOfKeys(`${grant.destinationPrefix}/`, room);
  return keys === undefined ? denyAll : policyFor(role, grant, keys);
}

/** The permissions CreateExportTask needs (user guide, "Export log data to Amazon S3"). */
function policyFor(
  role: RoleLocation,
  { logGroupName, destination, destinationPrefix }: ExportGrant,
  keys: string,
): string {
  const logGroupArn = logGroupPattern(role, logGroupName);
  const bucketArn = bucketPattern(role, destination);
  const objects = [`${bucketArn}/${keys}`];
  // Without a prefix in the request, AWS exports below this one, but writes its test object beside it.
  // Whether it also does so when the same prefix is sent is not recorded.
  if (destinationPrefix === defaultDestinationPrefix)
    objects.push(`${bucketArn}/${testObjectName}`);
  return JSON.stringify({
    Version: '2012-10-17', // in older versions `${*}` is plain text
    Statement: [
      {
        Effect: 'Allow',
        Action: 'logs:CreateExportTask',
        Resource: [logGroupArn, `${logGroupArn}:*`], // AWS documents both forms
      },
      { Effect: 'Allow', Action: ['s3:PutObject', 's3:PutObjectAcl'], Resource: objects },
      {
        Effect: 'Allow',
        Action: ['s3:GetBucketAcl', 's3:GetBucketLocation'],
        Resource: bucketArn,
      },
      keysOfS3(role),
    ],
  });
}

/** The permission to use keys of KMS, through S3 alone. */
export function keysOfS3({ region }: RoleLocation) {
  const { dnsSuffix } = partitionOf(region);
  return {
    Effect: 'Allow',
    Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
    Resource: '*',
    Condition: { StringEquals: { 'kms:ViaService': `s3.${region}.${dnsSuffix}` } },
  };
}

/** The ARN of exactly one log group. */
export function logGroupPattern(
  { partition, accountId, region }: RoleLocation,
  logGroupName: string,
): string {
  const logGroup = nameToPattern(logGroupName);
  return `arn:${partition}:logs:${region}:${accountId}:log-group:${logGroup}`;
}

/** The ARN of exactly one bucket. */
export function bucketPattern({ partition }: RoleLocation, bucket: string): string {
  // A slash would end the bucket name and begin a key.
  return `arn:${partition}:s3:::${nameToPattern(bucket.replaceAll('/', '?'))}`;
}

/** The pattern of the keys that begin with a text, in at most `room` characters of JSON; `undefined` if none fits. */
export function patternOfKeys(beginning: string, room: number): string | undefined {
  const pieces = toPieces(beginning);
  const whole = `${pieces.join('')}*`;
  if (lengthInJson(whole) <= room) return whole;
  let left = room - '*'.length;
  if (left < 0) return undefined;
  const fitting = pieces.findIndex((piece) => {
    left -= lengthInJson(piece);
    return left < 0;
  });
  return `${pieces.slice(0, fitting === -1 ? undefined : fitting).join('')}*`;
}

/** Escapes a name. A character STS does not accept becomes `?`, so that the pattern matches no real name. */
function nameToPattern(name: string): string {
  const writable = Array.from(name, (character) => (isWritable(character) ? character : '?'));
  return toPieces(writable.join('')).join('');
}

/**
 * A text as the pieces of a pattern that matches only this text, one piece per character. Wildcards are
 * escaped. A run of characters STS does not accept becomes one `*`.
 */
function toPieces(text: string): string[] {
  return Array.from(text, (character) => {
    if (character === '*' || character === '?' || character === '$') return `\${${character}}`;
    return isWritable(character) ? character : '*';
  }).filter((piece, at, all) => piece !== '*' || all[at - 1] !== '*');
}

function isWritable(character: string): boolean {
  return character >= ' ' && character <= '\u00ff';
}

function lengthInJson(text: string): number {
  return JSON.stringify(text).length - 2;
}
