import type { Answer, WireRequest } from '../../wire/exchange.ts';
import type { ConfigurationName } from '../configurations.ts';
import type { S3Context } from '../operation.ts';
import {
  deleteConfiguration,
  getConfiguration,
  putConfiguration,
} from './bucket-configurations.ts';
import {
  createBucket,
  deleteBucket,
  deleteBucketPolicy,
  getBucketAcl,
  getBucketLocation,
  getBucketPolicy,
  headBucket,
  putBucketPolicy,
} from './bucket-operations.ts';
import { deleteObjects } from './delete-objects.ts';
import { listBuckets } from './list-buckets.ts';
import { listObjects, listObjectsV2 } from './list-objects.ts';
import { deleteObject, getObject, headObject, putObject } from './object-operations.ts';

/** An operation of S3, and the action that a policy must allow (Service Authorization Reference). */
export interface S3Operation {
  name: string;
  action: string;
  perform(context: S3Context): Answer;
}

type ByMethod = Partial<Record<string, S3Operation>>;

const make = (name: string, action: string, perform: S3Operation['perform']): S3Operation => ({
  name,
  action: `s3:${action}`,
  perform,
});

const listV2 = make('ListObjectsV2', 'ListBucket', listObjectsV2);

const serviceOperations: ByMethod = {
  GET: make('ListBuckets', 'ListAllMyBuckets', listBuckets),
};

const bucketOperations: ByMethod = {
  PUT: make('CreateBucket', 'CreateBucket', createBucket),
  HEAD: make('HeadBucket', 'ListBucket', headBucket),
  GET: make('ListObjects', 'ListBucket', listObjects),
  DELETE: make('DeleteBucket', 'DeleteBucket', deleteBucket),
};

const objectOperations: ByMethod = {
  HEAD: make('HeadObject', 'GetObject', headObject),
  GET: make('GetObject', 'GetObject', getObject),
  PUT: make('PutObject', 'PutObject', putObject),
  DELETE: make('DeleteObject', 'DeleteObject', deleteObject),
};

/** Operations on subresources of a bucket. The query names them. */
const bucketParts: Record<string, ByMethod> = {
  acl: { GET: make('GetBucketAcl', 'GetBucketAcl', getBucketAcl) },
  location: { GET: make('GetBucketLocation', 'GetBucketLocation', getBucketLocation) },
  policy: {
    GET: make('GetBucketPolicy', 'GetBucketPolicy', getBucketPolicy),
    PUT: make('PutBucketPolicy', 'PutBucketPolicy', putBucketPolicy),
    DELETE: make('DeleteBucketPolicy', 'DeleteBucketPolicy', deleteBucketPolicy),
  },
  delete: { POST: make('DeleteObjects', 'DeleteObject', deleteObjects) },
  encryption: configurationOperations('encryption', {
    get: ['GetBucketEncryption', 'GetEncryptionConfiguration'],
    put: ['PutBucketEncryption', 'PutEncryptionConfiguration'],
    remove: 'DeleteBucketEncryption',
  }),
  ownershipControls: configurationOperations('ownershipControls', {
    get: ['GetBucketOwnershipControls', 'GetBucketOwnershipControls'],
    put: ['PutBucketOwnershipControls', 'PutBucketOwnershipControls'],
    remove: 'DeleteBucketOwnershipControls',
  }),
  'object-lock': configurationOperations('object-lock', {
    get: ['GetObjectLockConfiguration', 'GetBucketObjectLockConfiguration'],
    put: ['PutObjectLockConfiguration', 'PutBucketObjectLockConfiguration'],
  }),
  lifecycle: configurationOperations('lifecycle', {
    get: ['GetBucketLifecycleConfiguration', 'GetLifecycleConfiguration'],
    put: ['PutBucketLifecycleConfiguration', 'PutLifecycleConfiguration'],
    remove: 'DeleteBucketLifecycle',
  }),
  publicAccessBlock: configurationOperations('publicAccessBlock', {
    get: ['GetPublicAccessBlock', 'GetBucketPublicAccessBlock'],
    put: ['PutPublicAccessBlock', 'PutBucketPublicAccessBlock'],
    remove: 'DeletePublicAccessBlock',
  }),
};

type NameAndAction = readonly [name: string, action: string];

/** To remove a configuration takes the permission to put it. */
function configurationOperations(
  kind: ConfigurationName,
  { get, put, remove }: { get: NameAndAction; put: NameAndAction; remove?: string },
): ByMethod {
  return {
    GET: make(...get, getConfiguration(kind)),
    PUT: make(...put, putConfiguration(kind)),
    ...(remove !== undefined && { DELETE: make(remove, put[1], deleteConfiguration(kind)) }),
  };
}

/** Parameters of emulated operations, and of presigned URLs. Every other name in a query is a subresource. */
const parameters = new Set([
  'AWSAccessKeyId',
  'Expires',
  'Signature',
  'bucket-region',
  'content-md5',
  'content-type',
  'continuation-token',
  'delimiter',
  'encoding-type',
  'fetch-owner',
  'list-type',
  'marker',
  'max-buckets',
  'max-keys',
  'partNumber',
  'prefix',
  'start-after',
]);

// Names that begin with x- are ignored by S3, or are headers that a presigned URL has in its query.
function isSubresource([name, value]: [string, string]): boolean {
  if (name === 'versionId') return value !== 'null'; // the version of every object here
  return !parameters.has(name) && !/^(?:x|response)-/i.test(name);
}

/**
 * Returns the operation of a path-style request, or undefined if there is none. An unknown subresource must
 * not become the operation without it: then DELETE would remove the bucket.
 */
export function findOperation(
  { method, query, headers }: WireRequest,
  { bucketName, key }: { bucketName: string; key: string },
): S3Operation | undefined {
  const [part, ...others] = [...query].filter(isSubresource).map(([name]) => name);
  const isCopy =
    headers['x-amz-copy-source'] !== undefined ||
    [...query.keys()].some((name) => name.toLowerCase() === 'x-amz-copy-source');
  if (isCopy || others.length > 0) return undefined;
  if (part !== undefined) {
    const isOfBucket = bucketName !== '' && key === '';
    return isOfBucket ? bucketParts[part]?.[method] : undefined;
  }
  if (bucketName === '') return serviceOperations[method];
  if (key !== '') return objectOperations[method];
  if (query.get('list-type') === '2') return method === 'GET' ? listV2 : undefined;
  return bucketOperations[method];
}
