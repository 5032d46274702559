import { logGroupArn } from '#aws/arn.ts';
import { partitionOf } from '#aws/endpoint/partition.ts';
import type { NewStatement } from '../policy/merge-statements.ts';

/** The account and Region of the log groups of an export. */
export interface ExportSource {
  region: string;
  accountId: string;
}

/** The ARN of a bucket, or of the object with a key in it. */
export function bucketArn({ region }: { region: string }, bucket: string, key?: string): string {
  return `arn:${partitionOf(region).name}:s3:::${bucket}${key === undefined ? '' : `/${key}`}`;
}

/**
 * The statements of a bucket policy that allow CloudWatch Logs to export from one account and Region to a
 * bucket, from the user guide of AWS ("Export log data to Amazon S3", same account).
 */
export function bucketStatements(source: ExportSource, bucket: string): NewStatement[] {
  const arn = bucketArn(source, bucket);
  const Principal = { Service: servicePrincipalOf(source.region) };
  const sourceAccountCondition = { 'aws:SourceAccount': [source.accountId] };
  const ArnLike = { 'aws:SourceArn': [logGroupArn(source, '*')] };
  return [
    {
      Sid: 'AllowGetBucketAcl',
      Effect: 'Allow',
      Principal,
      Action: 's3:GetBucketAcl',
      Resource: arn,
      Condition: { StringEquals: sourceAccountCondition, ArnLike },
    },
    {
      Sid: 'AllowPutObject',
      Effect: 'Allow',
      Principal,
      Action: 's3:PutObject',
      Resource: `${arn}/*`,
      Condition: {
        StringEquals: { ...ownedByBucket, ...sourceAccountCondition },
        ArnLike,
      },
    },
  ];
}

/**
 * The statement that a bucket of another account needs beside them: it allows the account of the target,
 * whose own policies then decide for the service role. The name of the role is not for callers.
 */
export function callerStatement({ region, accountId }: ExportSource, bucket: string): NewStatement {
  return {
    Sid: 'AllowPutObjectOfCaller',
    Effect: 'Allow',
    Principal: { AWS: `arn:${partitionOf(region).name}:iam::${accountId}:root` },
    Action: 's3:PutObject',
    Resource: `${bucketArn({ region }, bucket)}/*`,
    Condition: { StringEquals: ownedByBucket },
  };
}

/** The statements that a bucket of another account needs to be written and verified. */
export function foreignStatements(source: ExportSource, bucket: string): NewStatement[] {
  return [callerStatement(source, bucket), ...verificationStatements(source, bucket)];
}

/** The statements with which the account of the target may list and read the objects of a bucket. */
export function verificationStatements(
  { region, accountId }: ExportSource,
  bucket: string,
): [list: NewStatement, read: NewStatement] {
  const Principal = { AWS: `arn:${partitionOf(region).name}:iam::${accountId}:root` };
  const arn = bucketArn({ region }, bucket);
  const allow = { Effect: 'Allow', Principal };
  return [
    { Sid: 'AllowListBucketOfCaller', ...allow, Action: 's3:ListBucket', Resource: arn },
    { Sid: 'AllowGetObjectOfCaller', ...allow, Action: 's3:GetObject', Resource: `${arn}/*` },
  ];
}

/** The statement of a key policy that allows CloudWatch Logs to encrypt the objects (the same guide). */
export function keyStatement({ region }: ExportSource): NewStatement {
  return {
    Sid: 'AllowCloudWatchLogs',
    Effect: 'Allow',
    Principal: { Service: servicePrincipalOf(region) },
    Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
    Resource: '*',
  };
}

const ownedByBucket = { 's3:x-amz-acl': 'bucket-owner-full-control' };

/**
 * The service principal of CloudWatch Logs. The user guide of AWS gives it for Regions under
 * amazonaws.com. For others, public sources disagree on its suffix, so the policy names both.
 */
function servicePrincipalOf(region: string): string | string[] {
  const { dnsSuffix } = partitionOf(region);
  const regional = `logs.${region}.${dnsSuffix}`;
  return dnsSuffix === 'amazonaws.com' ? regional : [regional, 'logs.amazonaws.com'];
}
