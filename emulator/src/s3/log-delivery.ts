import type { ConditionContext } from '../iam/conditions.ts';
import { bucketArn, logsPrincipals } from '../iam/partitions.ts';
import { findDenial, isLetIn } from '../iam/permissions.ts';
import { isAllowed, type Policy, type Question } from '../iam/policy.ts';
import { findKeyDenial } from '../kms/access.ts';
import type { Keys } from '../kms/keys.ts';
import { logGroupArn } from '../logs/names.ts';
import type { Settings } from '../options/settings.ts';
import type { Caller } from '../sts/sessions.ts';
import { type Bucket, isValidKeyLength } from './buckets.ts';
import { readEncryption, readObjectOwnership } from './configurations.ts';
import { findEncryptionKey, keyUseContext } from './operations/object-encryption.ts';

type Rules = Pick<
  Settings,
  'otherPartitionPrincipals' | 'organizationId' | 'doubleEncryption' | 'keySource'
>;
type CallerRules = Pick<Settings, 'deniedActions' | 'organizationId'>;

/** The log group of an export. */
export interface LogSource {
  accountId: string;
  region: string;
  logGroupName: string;
}

/** Whether the bucket policy permits CloudWatch Logs to read the ACL of the bucket, its first call. */
export function mayReadAcl(bucket: Bucket, source: LogSource, rules: Rules): boolean {
  const attempt = { action: 's3:GetBucketAcl', resource: bucketArn(bucket), context: {} };
  return isLogsAllowedAt(bucket, source, rules, attempt);
}

/**
 * Whether the bucket policy permits CloudWatch Logs to write a key, and the key is short enough. It sends the ACL
 * `bucket-owner-full-control`, but needs no s3:PutObjectAcl, also in a bucket with ACLs: the policy of the user guide
 * allows its principal only s3:PutObject. The guide demands s3:PutObjectAcl only of a caller of another account
 * ("Export log data to Amazon S3").
 */
export function mayWrite(bucket: Bucket, source: LogSource, rules: Rules, key: string): boolean {
  const attempt = putObjectAttempt(bucket, key);
  return isValidKeyLength(key) && isLogsAllowedAt(bucket, source, rules, attempt);
}

/**
 * Whether CloudWatch Logs can encrypt what it writes: not twice (documentation), and with an enabled key of
 * the Region whose policy permits it both actions that the user guide names.
 */
export function mayEncrypt(
  bucket: Bucket,
  source: LogSource,
  rules: Rules,
  keys: Keys,
  objectKey: string,
): boolean {
  const encryption = readEncryption(bucket.configurations);
  if (encryption.algorithm === 'AES256') return true;
  if (encryption.algorithm === 'aws:kms:dsse' && rules.doubleEncryption === 'refuse') return false;
  const key = findEncryptionKey(encryption, bucket, keys);
  if (key?.state !== 'Enabled') return false;
  const context = {
    ...keyUseContext(encryption, bucket, objectKey),
    ...(rules.keySource === 'given' && sourceContext(source)),
  };
  return ['kms:GenerateDataKey', 'kms:Decrypt'].every((action) =>
    isLogsAllowed(key.policy, source, rules, { action, resource: key.arn, context }),
  );
}

/**
 * Whether the caller may write a key, by its own policies and by that of the bucket. In another account
 * with ACLs it also needs s3:PutObjectAcl (user guide).
 */
export function mayCallerWrite(
  bucket: Bucket,
  caller: Caller,
  rules: CallerRules,
  key: string,
): boolean {
  const attempt = putObjectAttempt(bucket, key);
  const mayPut = findDenial(attempt, caller, rules) === undefined;
  if (!mayPut || !isLetIn(bucket, caller, attempt, rules)) return false;
  const hasAcls = readObjectOwnership(bucket.configurations) !== 'BucketOwnerEnforced';
  if (!hasAcls || bucket.accountId === caller.accountId) return true;
  return findDenial({ ...attempt, action: 's3:PutObjectAcl' }, caller, rules) === undefined;
}

/** Whether the caller may use the key of a bucket of another account, as it must there (user guide). */
export function mayCallerEncrypt(
  bucket: Bucket,
  caller: Caller,
  rules: CallerRules,
  keys: Keys,
): boolean {
  if (bucket.accountId === caller.accountId) return true;
  const key = findEncryptionKey(readEncryption(bucket.configurations), bucket, keys);
  if (!key || readEncryption(bucket.configurations).algorithm === 'AES256') return true;
  return ['kms:GenerateDataKey', 'kms:Decrypt'].every(
    (action) => findKeyDenial(key, action, caller, rules) === undefined,
  );
}

function putObjectAttempt(bucket: Bucket, key: string) {
  return {
    action: 's3:PutObject',
    resource: bucketArn(bucket, key),
    // CloudWatch Logs gives every object to the owner of the bucket (user guide).
    context: { 's3:x-amz-acl': 'bucket-owner-full-control' },
  };
}

type LogsAttempt = Omit<Question, 'principals'>;

function isLogsAllowedAt(
  bucket: Bucket,
  source: LogSource,
  rules: Rules,
  attempt: LogsAttempt,
): boolean {
  if (!bucket.policy) return false;
  const context: ConditionContext = {
    ...attempt.context,
    ...sourceContext(source),
    ...(rules.organizationId !== undefined && { 'aws:SourceOrgID': rules.organizationId }),
    'aws:ResourceAccount': bucket.accountId,
    's3:ResourceAccount': bucket.accountId,
    's3:TlsVersion': '1.3',
    's3:signatureversion': 'AWS4-HMAC-SHA256',
    's3:authType': 'REST-HEADER',
  };
  return isLogsAllowed(bucket.policy, source, rules, { ...attempt, context });
}

/** Every form of the principal is accepted. Conditions are optional and are evaluated (recorded). */
function isLogsAllowed(
  policy: Policy,
  { region }: LogSource,
  { otherPartitionPrincipals }: Rules,
  attempt: LogsAttempt,
): boolean {
  const names = logsPrincipals(region, otherPartitionPrincipals);
  return isAllowed(policy, {
    ...attempt,
    principals: { type: 'Service', names },
    context: {
      ...attempt.context,
      'aws:SecureTransport': 'true',
      'aws:RequestedRegion': region,
      'aws:PrincipalIsAWSService': 'true',
      'aws:PrincipalServiceName': names[0] ?? '',
      'aws:PrincipalServiceNamesList': names,
      'aws:ViaAWSService': 'false',
    },
  });
}

function sourceContext({ accountId, region, logGroupName }: LogSource) {
  return {
    'aws:SourceAccount': accountId,
    'aws:SourceArn': `${logGroupArn({ accountId, region }, logGroupName)}:*`,
  };
}
