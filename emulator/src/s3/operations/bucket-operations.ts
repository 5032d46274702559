import { bucketArn } from '../../iam/partitions.ts';
import { readPolicy } from '../../iam/policy.ts';
import { awsError } from '../../wire/aws-error.ts';
import type { Answer } from '../../wire/exchange.ts';
import { readXmlElement, writeXml } from '../../wire/xml/xml.ts';
import { type Bucket, type Buckets, isBucketName } from '../buckets.ts';
import { writeConfigurations } from '../configurations.ts';
import type { S3Context } from '../operation.ts';
import { readPayload } from '../payload.ts';

/** XML namespace of the answers of S3. */
export const s3Namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

const xmlHeaders = { 'content-type': 'application/xml' };

/** Finds a bucket. @throws NoSuchBucket */
export function findBucket(buckets: Buckets, name: string): Bucket {
  const bucket = buckets.find(name);
  if (bucket) return bucket;
  throw awsError('NoSuchBucket', 'The specified bucket does not exist', 404);
}

/**
 * CreateBucket: outside of us-east-1 the LocationConstraint must name the Region of the signature. For
 * us-east-1 there must be none (quoted in public reports).
 */
export function createBucket({ bucketName, caller, request, buckets, clock }: S3Context): Answer {
  if (!isBucketName(bucketName)) {
    throw awsError('InvalidBucketName', 'The specified bucket is not valid.');
  }
  const constraint = readXmlElement(readPayload(request).toString(), 'LocationConstraint');
  if (constraint === 'us-east-1' && caller.region === constraint) {
    const message = 'The specified location-constraint is not valid';
    const details = { LocationConstraint: constraint };
    throw awsError('InvalidLocationConstraint', message, 400, { details });
  }
  const region = constraint === 'EU' ? 'eu-west-1' : (constraint ?? 'us-east-1');
  if (region !== caller.region && caller.region !== 'us-east-1') {
    throw awsError(
      'IllegalLocationConstraintException',
      `The ${constraint ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    );
  }
  const taken = buckets.find(bucketName);
  if (taken && taken.accountId !== caller.accountId) {
    throw awsError('BucketAlreadyExists', 'The requested bucket name is not available.', 409);
  }
  // In us-east-1 S3 answers a repeated CreateBucket of the owner with success (documentation).
  if (taken && region !== 'us-east-1') {
    throw awsError(
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
      409,
    );
  }
  const headers = { location: `/${bucketName}` };
  if (taken) return { status: 200, headers, body: '' };
  const { accountId } = caller;
  buckets.add({
    name: bucketName,
    region,
    accountId,
    createdAt: clock.now(),
    policy: undefined,
    configurations: writeConfigurations(),
  });
  const effect = { kind: 'bucket-created', bucket: bucketName } as const;
  return { status: 200, headers, body: '', effect };
}

/** DeleteBucket: the bucket must be empty. */
export function deleteBucket({ bucketName, buckets }: S3Context): Answer {
  const bucket = findBucket(buckets, bucketName);
  if (bucket.objects.size > 0) {
    throw awsError('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409);
  }
  buckets.remove(bucket);
  return {
    status: 204,
    headers: {},
    body: '',
    effect: { kind: 'bucket-deleted', bucket: bucketName },
  };
}

/** GetBucketAcl: full control for the owner only, as with disabled ACLs. */
export function getBucketAcl({ bucketName, buckets }: S3Context): Answer {
  const ID = findBucket(buckets, bucketName).accountId;
  const grantee =
    'Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"';
  const Grant = { [grantee]: { ID }, Permission: 'FULL_CONTROL' };
  const content = { Owner: { ID }, AccessControlList: { Grant } };
  return answerXml(writeXml('AccessControlPolicy', content, s3Namespace));
}

/** HeadBucket: the ARN of the bucket in a header, as the Region is in all answers about a bucket. */
export function headBucket({ bucketName, buckets }: S3Context): Answer {
  const bucket = findBucket(buckets, bucketName);
  const headers = { 'x-amz-bucket-arn': bucketArn(bucket), 'x-amz-access-point-alias': 'false' };
  return { status: 200, headers: { ...xmlHeaders, ...headers }, body: '' };
}

/** GetBucketLocation: an empty element for us-east-1 (recorded). */
export function getBucketLocation({ bucketName, buckets }: S3Context): Answer {
  const { region } = findBucket(buckets, bucketName);
  const content = region === 'us-east-1' ? undefined : region;
  return answerXml(writeXml('LocationConstraint', content, s3Namespace));
}

/** GetBucketPolicy: the original text of the policy. */
export function getBucketPolicy({ bucketName, buckets }: S3Context): Answer {
  const { policy } = findBucket(buckets, bucketName);
  if (policy === undefined) {
    throw awsError('NoSuchBucketPolicy', 'The bucket policy does not exist', 404);
  }
  return { status: 200, headers: { 'content-type': 'application/json' }, body: policy.document };
}

/** Maximum bytes of a bucket policy (documentation). */
const maxPolicyBytes = 20 * 1024;

/** PutBucketPolicy: the error for a policy that is too long is unverified. */
export function putBucketPolicy({ bucketName, request, buckets }: S3Context): Answer {
  const bucket = findBucket(buckets, bucketName);
  const document = readPayload(request);
  if (document.length > maxPolicyBytes) {
    throw awsError('MalformedPolicy', 'Policy exceeds the maximum allowed document size.');
  }
  const policy = readPolicy(document.toString());
  if (!policy) {
    const message = 'Policies must be valid JSON and the first byte must be "{"';
    throw awsError('MalformedPolicy', message);
  }
  buckets.setPolicy(bucket, policy);
  return policyChanged(bucketName);
}

/** DeleteBucketPolicy: succeeds also without a policy. */
export function deleteBucketPolicy({ bucketName, buckets }: S3Context): Answer {
  buckets.setPolicy(findBucket(buckets, bucketName), undefined);
  return policyChanged(bucketName);
}

function policyChanged(bucket: string): Answer {
  return { status: 204, headers: {}, body: '', effect: { kind: 'bucket-policy-changed', bucket } };
}

function answerXml(body: string): Answer {
  return { status: 200, headers: xmlHeaders, body };
}
