import type { VerificationGrant } from '../call-options.ts';
import { manifestPrefixOf, objectsPrefixOf } from '../destination-prefix.ts';
import {
  bucketPattern,
  denyAll,
  keysOfS3,
  logGroupPattern,
  maxPolicyCharacters,
  patternOfKeys,
  type RoleLocation,
} from './session-policy.ts';

/**
 * The session policy that allows a role to look at the objects of one export and nothing else: to list and
 * read them, and to write and read the manifest. The bucket is always exact. Keys that are too long for STS
 * are matched as far as possible.
 */
export function objectsPolicyFor(role: RoleLocation, grant: VerificationGrant): string {
  const { destinationPrefix, taskId } = grant;
  const room = maxPolicyCharacters - policyFor(role, grant, { objects: '', manifest: '' }).length;
  const share = Math.floor(room / 4); // each pattern occurs twice
  const objects = patternOfKeys(objectsPrefixOf(grant), share);
  const manifest = patternOfKeys(manifestPrefixOf(destinationPrefix, taskId), share);
  if (objects === undefined || manifest === undefined) return denyAll;
  return policyFor(role, grant, { objects, manifest });
}

function policyFor(
  role: RoleLocation,
  { destination }: VerificationGrant,
  { objects, manifest }: { objects: string; manifest: string },
): string {
  const bucketArn = bucketPattern(role, destination);
  return JSON.stringify({
    Version: '2012-10-17', // in older versions `${*}` is plain text
    Statement: [
      {
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: bucketArn,
        Condition: { StringLike: { 's3:prefix': objects } },
      },
      {
        Effect: 'Allow',
        Action: 's3:GetObject',
        Resource: [`${bucketArn}/${objects}`, `${bucketArn}/${manifest}`],
      },
      {
        Effect: 'Allow',
        Action: ['s3:PutObject', 's3:PutObjectAcl'],
        Resource: `${bucketArn}/${manifest}`,
      },
      keysOfS3(role),
    ],
  });
}

/** The session policy that allows a role to read the events of one log group and nothing else. */
export function eventsPolicyFor(role: RoleLocation, { logGroupName }: VerificationGrant): string {
  const logGroupArn = logGroupPattern(role, logGroupName);
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['logs:FilterLogEvents', 'logs:StartQuery'],
        Resource: [logGroupArn, `${logGroupArn}:*`], // AWS documents both forms
      },
      { Effect: 'Allow', Action: 'logs:GetQueryResults', Resource: '*' },
    ],
  });
}
