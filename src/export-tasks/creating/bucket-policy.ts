import { logGroupArn } from '#aws/arn.ts';
import { partitionOf } from '#aws/endpoint/partition.ts';
import { Problem } from '#problems/problem.ts';

/**
 * The same refusal of a create; if AWS may not write to the bucket, with a bucket policy that permits
 * it.
 */
export function withBucketPolicy(refusal: Problem, destination: BucketPolicyOptions): Problem {
  if (refusal.slug !== 'destination-not-writable') return refusal;
  const bucketPolicy = bucketPolicyFor(destination);
  return new Problem(refusal.slug, refusal.detail, { ...refusal.members, bucketPolicy });
}

/** What a bucket policy for exports depends on. */
export interface BucketPolicyOptions {
  bucket: string;
  region: string;
  /** The account of the log groups. */
  accountId: string;
}

/**
 * The bucket policy under which CloudWatch Logs may export from one account and Region into a
 * bucket, as AWS's user guide has it ("Export log data to Amazon S3", same account).
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
 * The name, or names, by which CloudWatch Logs comes to a bucket. Where host names end with
 * amazonaws.com, AWS's user guide says it. Elsewhere public sources disagree on whether the name
 * has the suffix of the partition or is the same everywhere, so a policy names both.
 */
function servicePrincipalOf(region: string): string | string[] {
  const { dnsSuffix } = partitionOf(region);
  const regional = `logs.${region}.${dnsSuffix}`;
  return dnsSuffix === 'amazonaws.com' ? regional : [regional, 'logs.amazonaws.com'];
}
