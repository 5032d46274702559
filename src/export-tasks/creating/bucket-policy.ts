import { logGroupArn } from '#aws/arn.ts';
import { partitionOf } from '#aws/endpoint/partition.ts';
import { Problem } from '#problems/problem.ts';

/** Adds a bucket policy to the refusal of a create, if AWS may not write to the bucket. */
export function withBucketPolicy(refusal: Problem, destination: BucketPolicyOptions): Problem {
  if (refusal.slug !== 'destination-not-writable') return refusal;
  const bucketPolicy = bucketPolicyFor(destination);
  return new Problem(refusal.slug, refusal.detail, { ...refusal.members, bucketPolicy });
}

/** The values in a bucket policy for exports. */
export interface BucketPolicyOptions {
  bucket: string;
  region: string;
  /** The account of the log groups. */
  accountId: string;
}

/**
 * The bucket policy that allows CloudWatch Logs to export from one account and Region to a bucket, from
 * the user guide of AWS ("Export log data to Amazon S3", same account).
 */
export function bucketPolicyFor({ bucket, region, accountId }: BucketPolicyOptions): object {
  const arn = `arn:${partitionOf(region).name}:s3:::${bucket}`;
  const Principal = { Service: servicePrincipalOf(region) };
  const sourceAccountCondition = { 'aws:SourceAccount': [accountId] };
  const ArnLike = { 'aws:SourceArn': [logGroupArn({ region, accountId }, '*')] };
  return {
    Version: '2012-10-17',
    Statement: [
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
          StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control', ...sourceAccountCondition },
          ArnLike,
        },
      },
    ],
  };
}

/**
 * The service principal of CloudWatch Logs. The user guide of AWS gives it for Regions under
 * amazonaws.com. For others, public sources disagree on its suffix, so the policy names both.
 */
function servicePrincipalOf(region: string): string | string[] {
  const { dnsSuffix } = partitionOf(region);
  const regional = `logs.${region}.${dnsSuffix}`;
  return dnsSuffix === 'amazonaws.com' ? regional : [regional, 'logs.amazonaws.com'];
}
