import { isAllowed, type Question } from '../policy.ts';
import type { Caller } from '../sts/sessions.ts';
import { type Bucket, isKeyLength } from './buckets.ts';

/** The log group an export comes from. */
export interface LogSource {
  accountId: string;
  region: string;
  logGroupName: string;
}

/** Whether the bucket policy lets CloudWatch Logs read the bucket's ACL, its first act of an export. */
export function mayReadAcl(bucket: Bucket, source: LogSource): boolean {
  return isLogsAllowed(bucket, source, {
    action: 's3:GetBucketAcl',
    resource: `arn:aws:s3:::${bucket.name}`,
    context: {},
  });
}

/** Whether the bucket policy lets CloudWatch Logs write that key, and S3 takes one so long. */
export function mayWrite(bucket: Bucket, source: LogSource, key: string): boolean {
  return isKeyLength(key) && isLogsAllowed(bucket, source, putObject(bucket, key));
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
  const names = [accountId, `arn:aws:iam::${accountId}:root`, arn, ...(roleArn ? [roleArn] : [])];
  return (
    bucket.policy !== undefined &&
    isAllowed(bucket.policy, { ...wish, principals: { type: 'AWS', names } })
  );
}

function putObject(bucket: Bucket, key: string) {
  return {
    action: 's3:PutObject',
    resource: `arn:aws:s3:::${bucket.name}/${key}`,
    // CloudWatch Logs hands every object to the bucket's owner (user guide).
    context: { 's3:x-amz-acl': 'bucket-owner-full-control' },
  };
}

/** Both spellings of the principal work; conditions are honoured, not demanded (recorded). */
function isLogsAllowed(
  bucket: Bucket,
  { accountId, region, logGroupName }: LogSource,
  question: Omit<Question, 'principals'>,
): boolean {
  if (!bucket.policy) return false;
  return isAllowed(bucket.policy, {
    ...question,
    principals: { type: 'Service', names: [`logs.${region}.amazonaws.com`, 'logs.amazonaws.com'] },
    context: {
      ...question.context,
      'aws:SecureTransport': 'true',
      'aws:SourceAccount': accountId,
      'aws:SourceArn': `arn:aws:logs:${region}:${accountId}:log-group:${logGroupName}:*`,
    },
  });
}
