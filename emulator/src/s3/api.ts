import type { AuthFailure, Caller } from '../sts/sessions.ts';
import { answerErrors, awsError } from '../wire/aws-error.ts';
import type { Answer, Call, Refusal, WireRequest } from '../wire/exchange.ts';
import { writeXml } from '../wire/xml/xml.ts';
import { findObstacle, mayListBucket, refuseAtBucket, refuseWithoutBucket } from './access.ts';
import type { S3Context } from './operation.ts';
import { findOperation, type S3Operation } from './operations/operations.ts';

const authErrors: Record<AuthFailure, Refusal> = {
  missing: awsError('AccessDenied', 'Access Denied', 403),
  expired: awsError('ExpiredToken', 'The provided token has expired.'),
  unknown: awsError(
    'InvalidAccessKeyId',
    'The AWS Access Key Id you provided does not exist in our records.',
    403,
  ),
  token: awsError('InvalidToken', 'The provided token is malformed or otherwise invalid.'),
};

/** The state that calls of S3 use. */
type S3World = Pick<S3Context, 'buckets' | 'keys' | 'clock' | 'settings'>;

interface S3Place {
  bucketName: string;
  /** Empty for a request about a bucket. */
  key: string;
}

/** Reads a path-style S3 request. */
export function readS3Call(
  request: WireRequest,
  caller: Caller | AuthFailure,
  world: S3World,
  requestId: string,
): Call {
  const place = readPlace(request.path);
  const operation = place && findOperation(request, place);
  const refuse = (refusal: Refusal) => refuseInXml(refusal, request, requestId);

  return {
    service: 's3',
    operation: operation?.name ?? 'unknown',
    input: { ...place, query: Object.fromEntries(request.query) },
    refuse,
    perform() {
      const answer = answerErrors(() => {
        if (typeof caller === 'string') throw authErrors[caller];
        if (!place) throw awsError('InvalidURI', "Couldn't parse the specified URI.");
        if (!operation) {
          const message = 'A header you provided implies functionality that is not implemented';
          throw awsError('NotImplemented', message, 501);
        }
        return performAt(operation, place, { ...world, caller, request });
      }, refuse);
      return withRegion(answer, place, world);
    },
  };
}

function performAt(
  { name, action, perform }: S3Operation,
  { bucketName, key }: S3Place,
  { caller, ...others }: S3World & Pick<S3Context, 'caller' | 'request'>,
): Answer {
  const bucket = others.buckets.find(bucketName);
  // A URL that was signed with version 2 names no Region.
  const region = caller.region || bucket?.region || 'us-east-1';
  const world = { ...others, caller: { ...caller, region } };
  if (bucket && name !== 'CreateBucket') refuseAtBucket({ ...world, bucket, key, action });
  else refuseWithoutBucket({ ...world, bucketName, action });
  const mayList = () => bucket === undefined || mayListBucket({ ...world, bucket });
  const obstacleAt = (one: string) =>
    bucket && findObstacle({ ...world, bucket, key: one, action });
  return perform({ ...world, bucketName, key, mayList, obstacleAt });
}

/** S3 names the Region in each answer about a bucket, and about an object that is elsewhere. */
function withRegion(answer: Answer, place: S3Place | undefined, { buckets }: S3World): Answer {
  const bucket = place && buckets.find(place.bucketName);
  if (!bucket || (place.key !== '' && answer.status !== 301)) return answer;
  return { ...answer, headers: { 'x-amz-bucket-region': bucket.region, ...answer.headers } };
}

function readPlace(path: string): S3Place | undefined {
  const [, bucketName = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  try {
    return { bucketName: decodeURIComponent(bucketName), key: decodeURIComponent(key) };
  } catch {
    return undefined;
  }
}

/** Answers an error in XML. An answer to HEAD has no body, only the status. */
function refuseInXml(
  { status, code, message, details }: Refusal,
  { method, path }: WireRequest,
  requestId: string,
): Answer {
  const content = {
    Code: code,
    Message: message,
    ...details,
    Resource: path,
    RequestId: requestId,
  };
  const headers = { 'content-type': 'application/xml' };
  const body = method === 'HEAD' ? '' : writeXml('Error', content);
  return { status, headers, body, errorCode: code };
}
