import type { ExportGrant } from '../cloudwatch-logs.ts';
import { partitionOf } from '../endpoint/partition.ts';
import { defaultDestinationPrefix } from '../export-task.ts';

/** Where a role lives, as ARNs have it. */
export interface RoleLocation {
  partition: string;
  accountId: string;
  region: string;
}

const longestPolicy = 2_048; // characters; STS takes no more

const nothing = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
});

/**
 * The session policy under which a role may create the export that was granted, and do nothing
 * else; without a grant, nothing at all. Log group and bucket are always exact. A prefix that STS
 * has no room or no characters for is matched as far as it goes.
 */
export function sessionPolicyFor(place: RoleLocation, grant: ExportGrant | undefined): string {
  if (!grant) return nothing;
  const room = longestPolicy - policyFor(place, grant, '').length;
  const keys = keysUnder(grant.destinationPrefix, room);
  return keys === undefined ? nothing : policyFor(place, grant, keys);
}

/** What AWS asks of who calls CreateExportTask (user guide, "Export log data to Amazon S3"). */
function policyFor(
  { partition, accountId, region }: RoleLocation,
  { logGroupName, destination, destinationPrefix }: ExportGrant,
  keys: string,
): string {
  const logGroup = nameToPattern(logGroupName);
  // After a slash the rest of the name would be taken for a key.
  const bucket = nameToPattern(destination.replaceAll('/', '?'));
  const logGroupArn = `arn:${partition}:logs:${region}:${accountId}:log-group:${logGroup}`;
  const bucketArn = `arn:${partition}:s3:::${bucket}`;
  const objects = [`${bucketArn}/${keys}`];
  // When none is sent AWS exports below this one, but tries whether it may write beside it. Whether
  // it tells that from this prefix being sent, nobody has recorded.
  if (destinationPrefix === defaultDestinationPrefix)
    objects.push(`${bucketArn}/aws-logs-write-test`);
  const { dnsSuffix } = partitionOf(region);
  return JSON.stringify({
    Version: '2012-10-17', // in an older one `${*}` would be plain text
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
      {
        Effect: 'Allow',
        Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
        Resource: '*',
        Condition: { StringEquals: { 'kms:ViaService': `s3.${region}.${dnsSuffix}` } },
      },
    ],
  });
}

/** The pattern of the keys under a prefix, in at most `room` characters of JSON, if there are any. */
function keysUnder(prefix: string, room: number): string | undefined {
  const pieces = toPieces(prefix);
  const whole = `${pieces.join('')}/*`;
  if (lengthInJson(whole) <= room) return whole;
  let left = room - '*'.length;
  if (left < 0) return undefined;
  const fitting = pieces.findIndex((piece) => {
    left -= lengthInJson(piece);
    return left < 0;
  });
  return `${pieces.slice(0, fitting === -1 ? undefined : fitting).join('')}*`;
}

/** No log group or bucket has a question mark: what cannot be written makes it the name of nothing. */
function nameToPattern(name: string): string {
  const writable = Array.from(name, (character) => (isWritable(character) ? character : '?'));
  return toPieces(writable.join('')).join('');
}

/**
 * A text as a pattern that matches just this text, a piece for each of its characters. What means
 * something in a pattern is escaped; a run of what STS does not take in a policy becomes one `*`.
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
