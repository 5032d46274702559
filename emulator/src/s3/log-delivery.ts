import { bucketArn, logsPrincipals, partitionOf } from '../iam/partitions.ts';
import { isAllowed, type Question } from '../iam/policy.ts';
import { logGroupArn } from '../logs/names.ts';
import type { Settings } from '../options/settings.ts';
import type { Caller } from '../sts/sessions.ts';
import { type Bucket, isKeyLength } from './buckets.ts';

type Rules = Pick<Settings, 'otherPartitionPrincipals'>;

/** The log group an export comes from. */
export interface LogSource {
  accountId: string;
  region: string;
  logGroupName: string;
}

/**
 * Whether the bucket policy lets CloudWatch Logs read the bucket's ACL, its first act of an export.
 */
export function mayReadAcl(bucket: Bucket, source: LogSource, rules: Rules): boolean {
  return isLogsAllowed(bucket, source, rules, {
    action: 's3:GetBucketAcl',
    resource: bucketArn(bucket),
    context: {},
  });
}

/** Whether the bucket policy lets CloudWatch Logs write that key, and S3 takes one so long. */
export function mayWrite(bucket: Bucket, source: LogSource, rules: Rules, key: string): boolean {
  return isKeyLength(key) && isLogsAllowed(bucket, source, rules, putObject(bucket, key));
}

/**
 * Whether the caller may write that key: a session policy has to allow it, and in somebody else's
 * bucket the bucket policy too (documentation). The policies of roles and users are not known here.
 */
export function mayCallerWrite(bucket: Bucket, caller: Caller, key: string): boolean {
  const { accountId, arn, roleArn, sessionPolicy } = caller;
  const wish = putObject(bucket, key);
  if (sessionPolicy && !isAllowed(sessionPolicy, { ...wish, principals: 'holder' })) return false;
  if (bucket.accountId === accountId) return true;
  const root = `arn:${partitionOf(caller.region).name}:iam::${accountId}:root`;
  const names = [accountId, root, arn, ...(roleArn ? [roleArn] : [])];
  return (
    bucket.policy !== undefined &&
    isAllowed(bucket.policy, { ...wish, principals: { type: 'AWS', names } })
  );
}

function putObject(bucket: Bucket, key: string) {
  return {
    action: 's3:PutObject',
    resource: bucketArn(bucket, key),
    // CloudWatch Logs hands every object to the bucket's owner (user guide).
    context: { 's3:x-amz-acl': 'bucket-owner-full-control' },
  };
}

/** All spellings of the principal work; conditions are honoured, not demanded (recorded). */
function isLogsAllowed(
  bucket: Bucket,
  { accountId, region, logGroupName }: LogSource,
  { otherPartitionPrincipals }: Rules,
  question: Omit<Question, 'principals'>,
): boolean {
  if (!bucket.policy) return false;
  return isAllowed(bucket.policy, {
    ...question,
    principals: { type: 'Service', names: logsPrincipals(region, otherPartitionPrincipals) },
    context: {
      ...question.context,
      'aws:SecureTransport': 'true',
      'aws:SourceAccount': accountId,
      'aws:SourceArn': `${logGroupArn({ accountId, region }, logGroupName)}:*`,
    },
  });
}
