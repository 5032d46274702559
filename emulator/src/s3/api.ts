import type { AuthFailure, Caller } from '../sts/sessions.ts';
import { answerErrors, awsError } from '../wire/aws-error.ts';
import type { Answer, Call, Refusal, WireRequest } from '../wire/exchange.ts';
import { writeXml } from '../wire/xml.ts';
import type { S3Context } from './operation.ts';
import {
  createBucket,
  deleteBucket,
  deleteBucketPolicy,
  getBucketAcl,
  getBucketLocation,
  getBucketPolicy,
  headBucket,
  listBuckets,
  putBucketPolicy,
} from './operations/bucket-operations.ts';
import { deleteObjects } from './operations/delete-objects.ts';
import { listObjects, listObjectsV2 } from './operations/list-objects.ts';
import { deleteObject, getObject, headObject, putObject } from './operations/object-operations.ts';

const operations = {
  ListBuckets: listBuckets,
  CreateBucket: createBucket,
  DeleteBucket: deleteBucket,
  HeadBucket: headBucket,
  GetBucketLocation: getBucketLocation,
  GetBucketAcl: getBucketAcl,
  GetBucketPolicy: getBucketPolicy,
  PutBucketPolicy: putBucketPolicy,
  DeleteBucketPolicy: deleteBucketPolicy,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  HeadObject: headObject,
  GetObject: getObject,
  PutObject: putObject,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
} satisfies Record<string, (context: S3Context) => Answer>;

type S3Operation = keyof typeof operations;

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

/**
 * Reads a path-style S3 request. A caller with a valid key may do everything: bucket policies are
 * evaluated for exports only.
 */
export function readS3Call(
  request: WireRequest,
  caller: Caller | AuthFailure,
  world: Pick<S3Context, 'buckets' | 'clock'>,
  requestId: string,
): Call {
  const place = readPlace(request.path);
  const operation = place && nameOperation(request, place);
  const refuse = (refusal: Refusal) => refuseInXml(refusal, request, requestId);

  return {
    service: 's3',
    operation: operation ?? 'unknown',
    input: { ...place, query: Object.fromEntries(request.query) },
    refuse,
    perform() {
      return answerErrors(() => {
        if (typeof caller === 'string') throw authErrors[caller];
        if (!place) throw awsError('InvalidURI', "Couldn't parse the specified URI.");
        if (!operation) {
          const message = 'A header you provided implies functionality that is not implemented';
          throw awsError('NotImplemented', message, 501);
        }
        return operations[operation]({ ...world, ...place, caller, request });
      }, refuse);
    },
  };
}

function readPlace(path: string): { bucketName: string; key: string } | undefined {
  const [, bucketName = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  try {
    return { bucketName: decodeURIComponent(bucketName), key: decodeURIComponent(key) };
  } catch {
    return undefined;
  }
}

function nameOperation(
  { method, query }: WireRequest,
  { bucketName, key }: { bucketName: string; key: string },
): S3Operation | undefined {
  if (bucketName === '') return method === 'GET' ? 'ListBuckets' : undefined;
  if (key !== '')
    return unsupportedObjectParts.some((part) => query.has(part))
      ? undefined
      : objectOperations[method];
  const [, part] = bucketParts.find(([name]) => query.has(name)) ?? [];
  if (part) return part[method];
  if (query.get('list-type') === '2') return method === 'GET' ? 'ListObjectsV2' : undefined;
  return bucketOperations[method];
}

type ByMethod = Partial<Record<string, S3Operation>>;
const objectOperations: ByMethod = {
  HEAD: 'HeadObject',
  GET: 'GetObject',
  PUT: 'PutObject',
  DELETE: 'DeleteObject',
};
const bucketOperations: ByMethod = {
  PUT: 'CreateBucket',
  HEAD: 'HeadBucket',
  GET: 'ListObjects',
  DELETE: 'DeleteBucket',
};

/** Subresources of an object that the emulator does not support. The query names them. */
const unsupportedObjectParts = [
  'acl',
  'attributes',
  'legal-hold',
  'retention',
  'tagging',
  'uploadId',
  'uploads',
];

const unsupportedBucketParts = [
  'accelerate',
  'cors',
  'encryption',
  'lifecycle',
  'logging',
  'notification',
  'object-lock',
  'ownershipControls',
  'policyStatus',
  'publicAccessBlock',
  'replication',
  'requestPayment',
  'tagging',
  'uploads',
  'versioning',
  'versions',
  'website',
];

/** Subresources of a bucket. The query names them. */
const bucketParts: readonly [query: string, operations: ByMethod][] = [
  ['acl', { GET: 'GetBucketAcl' }],
  ['location', { GET: 'GetBucketLocation' }],
  ['policy', { GET: 'GetBucketPolicy', PUT: 'PutBucketPolicy', DELETE: 'DeleteBucketPolicy' }],
  ['delete', { POST: 'DeleteObjects' }],
  ...unsupportedBucketParts.map((name): [string, ByMethod] => [name, {}]),
];

/** Answers an error in XML. An answer to HEAD has no body, only the status. */
function refuseInXml(
  { status, code, message }: Refusal,
  { method, path }: WireRequest,
  requestId: string,
): Answer {
  const content = { Code: code, Message: message, Resource: path, RequestId: requestId };
  const headers = { 'content-type': 'application/xml' };
  const body = method === 'HEAD' ? '' : writeXml('Error', content);
  return { status, headers, body, errorCode: code };
}
