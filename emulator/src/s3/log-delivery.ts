import { bucketArn, logsPrincipals, partitionOf } from '../iam/partitions.ts';
import { isAllowed, type Question } from '../iam/policy.ts';
import { logGroupArn } from '../logs/names.ts';
import type { Settings } from '../options/settings.ts';
import type { Caller } from '../sts/sessions.ts';
import { type Bucket, isValidKeyLength } from './buckets.ts';

type Rules = Pick<Settings, 'otherPartitionPrincipals'>;

/** The log group of an export. */
export interface LogSource {
  accountId: string;
  region: string;
  logGroupName: string;
}

/** Whether the bucket policy permits CloudWatch Logs to read the ACL of the bucket, its first call. */
export function mayReadAcl(bucket: Bucket, source: LogSource, rules: Rules): boolean {
  return isLogsAllowed(bucket, source, rules, {
    action: 's3:GetBucketAcl',
    resource: bucketArn(bucket),
    context: {},
  });
}

/** Whether the bucket policy permits CloudWatch Logs to write a key, and the key is short enough. */
export function mayWrite(bucket: Bucket, source: LogSource, rules: Rules, key: string): boolean {
  return (
    isValidKeyLength(key) && isLogsAllowed(bucket, source, rules, putObjectQuestion(bucket, key))
  );
}

/**
 * Whether the caller may write a key. A session policy must allow it, and for a bucket of another
 * account the bucket policy too (documentation). Policies of roles and users are not emulated.
 */
export function mayCallerWrite(bucket: Bucket, caller: Caller, key: string): boolean {
  const { accountId, arn, roleArn, sessionPolicy } = caller;
  const question = putObjectQuestion(bucket, key);
  if (sessionPolicy && !isAllowed(sessionPolicy, { ...question, principals: 'holder' }))
    return false;
  if (bucket.accountId === accountId) return true;
  const root = `arn:${partitionOf(caller.region).name}:iam::${accountId}:root`;
  const names = [accountId, root, arn, ...(roleArn ? [roleArn] : [])];
  return (
    bucket.policy !== undefined &&
    isAllowed(bucket.policy, { ...question, principals: { type: 'AWS', names } })
  );
}

function putObjectQuestion(bucket: Bucket, key: string) {
  return {
    action: 's3:PutObject',
    resource: bucketArn(bucket, key),
    // CloudWatch Logs gives every object to the owner of the bucket (user guide).
    context: { 's3:x-amz-acl': 'bucket-owner-full-control' },
  };
}

/** Every form of the principal is accepted. Conditions are optional and are evaluated (recorded). */
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
