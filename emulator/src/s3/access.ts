import { bucketArn, partitionOf } from '../iam/partitions.ts';
import { type Attempt, denialMessage, findDenial, isLetIn } from '../iam/permissions.ts';
import type { Settings } from '../options/settings.ts';
import type { Caller } from '../sts/sessions.ts';
import { awsError } from '../wire/aws-error.ts';
import type { WireRequest } from '../wire/exchange.ts';
import type { Bucket } from './buckets.ts';

/** A request about a bucket or an object, before it is performed. */
export interface S3Request {
  bucket: Bucket;
  /** Empty for a request about the bucket. */
  key: string;
  action: string;
  caller: Caller;
  request: WireRequest;
  settings: Pick<Settings, 'deniedActions' | 'organizationId'>;
}

/** S3 answers this about a bucket of any Region (documentation). */
const worldwideAction = 's3:GetBucketLocation';

/** Only roles of the account of the bucket may do these, whatever policies allow (documentation). */
const ownerActions = new Set(['s3:GetBucketPolicy', 's3:PutBucketPolicy', 's3:DeleteBucketPolicy']);

/**
 * Refuses a request to another Region, a request with another expected owner, and one without permission,
 * in this order (assumption). For a caller with a plain access key the bucket policy is not evaluated.
 * @throws PermanentRedirect, AccessDenied or MethodNotAllowed
 */
export function refuseAtBucket(about: S3Request): void {
  const { bucket, action, caller, request } = about;
  if (caller.region !== bucket.region && action !== worldwideAction) throw redirect(bucket);
  const expectedOwner = request.headers['x-amz-expected-bucket-owner'];
  const isOther = expectedOwner !== undefined && expectedOwner !== bucket.accountId;
  // DeleteObjects needs the permission for each of its keys.
  const isAboutKeys = action === 's3:DeleteObject' && about.key === '';
  const obstacle = isAboutKeys ? undefined : findObstacle(about);
  const message = isOther ? 'Access Denied' : obstacle;
  if (message !== undefined) throw awsError('AccessDenied', message, 403);
  const isGuest = caller.roleArn !== undefined && caller.accountId !== bucket.accountId;
  if (isGuest && ownerActions.has(action)) {
    const notAllowed = 'The specified method is not allowed against this resource.';
    throw awsError('MethodNotAllowed', notAllowed, 405);
  }
}

/**
 * Refuses a request for a list of buckets or for a new bucket. For other requests S3 answers NoSuchBucket
 * whatever the permissions are (assumption).
 * @throws AccessDenied
 */
export function refuseWithoutBucket({
  bucketName,
  action,
  caller,
  settings,
}: Pick<S3Request, 'action' | 'caller' | 'settings'> & { bucketName: string }): void {
  if (action !== 's3:ListAllMyBuckets' && action !== 's3:CreateBucket') return;
  const { region } = caller;
  const resource = bucketName === '' ? '*' : bucketArn({ region, name: bucketName });
  const message = findOwnObstacle({ action, resource }, caller, settings);
  if (message !== undefined) throw awsError('AccessDenied', message, 403);
}

/** Whether the caller may list a bucket: only then S3 says that a key does not exist (documentation). */
export function mayListBucket(about: Omit<S3Request, 'action' | 'key'>): boolean {
  return findObstacle({ ...about, action: 's3:ListBucket', key: '' }) === undefined;
}

/** Returns the message of the error if a policy is in the way. */
export function findObstacle({
  bucket,
  key,
  action,
  caller,
  request,
  settings,
}: S3Request): string | undefined {
  const attempt: Attempt = {
    action,
    resource: bucketArn(bucket, key === '' ? undefined : key),
    context: { ...requestContext(request), 's3:ResourceAccount': bucket.accountId },
  };
  const own = findOwnObstacle(attempt, caller, settings);
  // Tests prepare and look at buckets of all accounts with plain access keys.
  const isKeptOut = caller.roleArn !== undefined && !isLetIn(bucket, caller, attempt, settings);
  return own ?? (isKeptOut ? 'Access Denied' : undefined);
}

function findOwnObstacle(
  attempt: Attempt,
  caller: Caller,
  settings: S3Request['settings'],
): string | undefined {
  const denial = findDenial(attempt, caller, settings);
  const quoted = { ...attempt, resource: `"${attempt.resource}"` };
  return denial && denialMessage(quoted, caller, denial);
}

/** The condition keys that are parameters of a request. */
function requestContext({ query, headers }: WireRequest): Record<string, string> {
  const acl = headers['x-amz-acl']?.toString();
  const given = ['prefix', 'delimiter', 'max-keys'].flatMap((name) => {
    const value = query.get(name);
    return value === null ? [] : [[`s3:${name}`, value]];
  });
  return { ...Object.fromEntries(given), ...(acl !== undefined && { 's3:x-amz-acl': acl }) };
}

/** The status and the header are documented, the text is quoted in public reports. */
function redirect({ name, region }: Bucket) {
  return awsError(
    'PermanentRedirect',
    'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
    301,
    { details: { Endpoint: `${name}.s3.${region}.${partitionOf(region).suffix}`, Bucket: name } },
  );
}
