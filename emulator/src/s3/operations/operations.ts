import type { Answer, WireRequest } from '../../wire/exchange.ts';
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
  listBuckets,
  putBucketPolicy,
} from './bucket-operations.ts';
import { deleteObjects } from './delete-objects.ts';
import { listObjects, listObjectsV2 } from './list-objects.ts';
import { deleteObject, getObject, headObject, putObject } from './object-operations.ts';

/** An operation of S3, and the action that a policy must allow (Service Authorization Reference). */
interface S3Operation {
  perform(context: S3Context): Answer;
  action: string;
}

const encryptionAction = 's3:PutEncryptionConfiguration';
const ownershipAction = 's3:PutBucketOwnershipControls';
const lifecycleAction = 's3:PutLifecycleConfiguration';
const publicAccessAction = 's3:PutBucketPublicAccessBlock';

/** The operations by name. */
export const operations = {
  ListBuckets: { perform: listBuckets, action: 's3:ListAllMyBuckets' },
  CreateBucket: { perform: createBucket, action: 's3:CreateBucket' },
  DeleteBucket: { perform: deleteBucket, action: 's3:DeleteBucket' },
  HeadBucket: { perform: headBucket, action: 's3:ListBucket' },
  GetBucketLocation: { perform: getBucketLocation, action: 's3:GetBucketLocation' },
  GetBucketAcl: { perform: getBucketAcl, action: 's3:GetBucketAcl' },
  GetBucketPolicy: { perform: getBucketPolicy, action: 's3:GetBucketPolicy' },
  PutBucketPolicy: { perform: putBucketPolicy, action: 's3:PutBucketPolicy' },
  DeleteBucketPolicy: { perform: deleteBucketPolicy, action: 's3:DeleteBucketPolicy' },
  GetBucketEncryption: {
    perform: getConfiguration('encryption'),
    action: 's3:GetEncryptionConfiguration',
  },
  PutBucketEncryption: { perform: putConfiguration('encryption'), action: encryptionAction },
  DeleteBucketEncryption: { perform: deleteConfiguration('encryption'), action: encryptionAction },
  GetBucketOwnershipControls: {
    perform: getConfiguration('ownershipControls'),
    action: 's3:GetBucketOwnershipControls',
  },
  PutBucketOwnershipControls: {
    perform: putConfiguration('ownershipControls'),
    action: ownershipAction,
  },
  DeleteBucketOwnershipControls: {
    perform: deleteConfiguration('ownershipControls'),
    action: ownershipAction,
  },
  GetObjectLockConfiguration: {
    perform: getConfiguration('object-lock'),
    action: 's3:GetBucketObjectLockConfiguration',
  },
  PutObjectLockConfiguration: {
    perform: putConfiguration('object-lock'),
    action: 's3:PutBucketObjectLockConfiguration',
  },
  GetBucketLifecycleConfiguration: {
    perform: getConfiguration('lifecycle'),
    action: 's3:GetLifecycleConfiguration',
  },
  PutBucketLifecycleConfiguration: {
    perform: putConfiguration('lifecycle'),
    action: lifecycleAction,
  },
  DeleteBucketLifecycle: { perform: deleteConfiguration('lifecycle'), action: lifecycleAction },
  GetPublicAccessBlock: {
    perform: getConfiguration('publicAccessBlock'),
    action: 's3:GetBucketPublicAccessBlock',
  },
  PutPublicAccessBlock: {
    perform: putConfiguration('publicAccessBlock'),
    action: publicAccessAction,
  },
  DeletePublicAccessBlock: {
    perform: deleteConfiguration('publicAccessBlock'),
    action: publicAccessAction,
  },
  ListObjects: { perform: listObjects, action: 's3:ListBucket' },
  ListObjectsV2: { perform: listObjectsV2, action: 's3:ListBucket' },
  HeadObject: { perform: headObject, action: 's3:GetObject' },
  GetObject: { perform: getObject, action: 's3:GetObject' },
  PutObject: { perform: putObject, action: 's3:PutObject' },
  DeleteObject: { perform: deleteObject, action: 's3:DeleteObject' },
  DeleteObjects: { perform: deleteObjects, action: 's3:DeleteObject' },
} satisfies Record<string, S3Operation>;

/** The name of an operation. */
export type S3OperationName = keyof typeof operations;

/** Returns the name of the operation of a path-style request, or undefined if there is none. */
export function nameOperation(
  { method, query }: WireRequest,
  { bucketName, key }: { bucketName: string; key: string },
): S3OperationName | undefined {
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

type ByMethod = Partial<Record<string, S3OperationName>>;
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
  'logging',
  'notification',
  'policyStatus',
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
  [
    'encryption',
    {
      GET: 'GetBucketEncryption',
      PUT: 'PutBucketEncryption',
      DELETE: 'DeleteBucketEncryption',
    },
  ],
  [
    'ownershipControls',
    {
      GET: 'GetBucketOwnershipControls',
      PUT: 'PutBucketOwnershipControls',
      DELETE: 'DeleteBucketOwnershipControls',
    },
  ],
  ['object-lock', { GET: 'GetObjectLockConfiguration', PUT: 'PutObjectLockConfiguration' }],
  [
    'lifecycle',
    {
      GET: 'GetBucketLifecycleConfiguration',
      PUT: 'PutBucketLifecycleConfiguration',
      DELETE: 'DeleteBucketLifecycle',
    },
  ],
  [
    'publicAccessBlock',
    {
      GET: 'GetPublicAccessBlock',
      PUT: 'PutPublicAccessBlock',
      DELETE: 'DeletePublicAccessBlock',
    },
  ],
  ...unsupportedBucketParts.map((name): [string, ByMethod] => [name, {}]),
];
