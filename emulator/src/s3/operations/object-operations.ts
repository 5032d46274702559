import { awsError } from '../../wire/aws-error.ts';
import type { Answer, WireRequest } from '../../wire/exchange.ts';
import { type Bucket, isValidKeyLength, type StoredObject } from '../buckets.ts';
import { checksumHeaders, readChecksumAlgorithm } from '../checksums.ts';
import type { S3Context } from '../operation.ts';
import { readPayload } from '../payload.ts';
import { findBucket } from './bucket-operations.ts';
import { refuseChange, refuseRead } from './conditions.ts';
import { chooseEncryption, encryptionHeaders, refuseKeyUse } from './object-encryption.ts';

/** GetObject: the whole object, or one range of bytes. A range has no checksum (assumption). */
export function getObject(context: S3Context): Answer {
  const { object, bucket } = findObject(context);
  if (refuseRead(context.request, object)) return notModified(object);
  refuseKeyUse('kms:Decrypt', object.encryption, bucket, context);
  const headers = objectHeaders(object, bucket, context);
  const body = object.body();
  const range = context.request.headers.range;
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === undefined || last === undefined || first + last === '') {
    return { status: 200, headers: { ...headers, ...wantedChecksum(object, context) }, body };
  }
  const start = first === '' ? Math.max(0, body.length - Number(last)) : Number(first);
  const end = first === '' || last === '' ? body.length : Math.min(Number(last) + 1, body.length);
  if (start >= end) throw awsError('InvalidRange', 'The requested range is not satisfiable', 416);
  const contentRange = `bytes ${start}-${end - 1}/${body.length}`;
  return {
    status: 206,
    headers: { ...headers, 'content-range': contentRange },
    body: body.subarray(start, end),
  };
}

/** HeadObject: size, tag, time and, if asked for, the checksum of an object, which takes its key. */
export function headObject(context: S3Context): Answer {
  const { object, bucket } = findObject(context);
  if (refuseRead(context.request, object)) return notModified(object);
  const checksum = wantedChecksum(object, context);
  if (checksum) refuseKeyUse('kms:Decrypt', object.encryption, bucket, context);
  const headers = {
    ...objectHeaders(object, bucket, context),
    ...checksum,
    'content-length': String(object.summary().size),
  };
  return { status: 200, headers, body: '' };
}

function notModified({ lastModified, summary }: StoredObject): Answer {
  const headers = {
    etag: summary().entityTag,
    'last-modified': new Date(lastModified).toUTCString(),
  };
  return { status: 304, headers, body: '' };
}

/** PutObject: keeps the algorithm of a checksum, without verifying its value. */
export function putObject(context: S3Context): Answer {
  const { bucketName, key, request, buckets, keys, clock } = context;
  const bucket = findBucket(buckets, bucketName);
  if (!isValidKeyLength(key)) throw awsError('KeyTooLongError', 'Your key is too long');
  refuseChange(request, bucket.objects.get(key));
  const encryption = chooseEncryption(request, bucket);
  refuseKeyUse('kms:GenerateDataKey', encryption, bucket, context);
  const payload = readPayload(request);
  const object = buckets.putObject(bucket, key, {
    body: () => payload,
    lastModified: clock.now(),
    checksumAlgorithm: readChecksumAlgorithm(request),
    storedHeaders: readStoredHeaders(request),
    encryption,
  });
  return {
    status: 200,
    headers: {
      etag: object.summary().entityTag,
      ...encryptionHeaders(encryption, bucket, keys),
      ...checksumHeaders(object.checksumAlgorithm, object.checksum()),
    },
    body: '',
    effect: { kind: 'object-stored', bucket: bucketName, key },
  };
}

/** DeleteObject: succeeds also for an unknown key. */
export function deleteObject({ bucketName, key, request, buckets }: S3Context): Answer {
  const bucket = findBucket(buckets, bucketName);
  refuseChange(request, bucket.objects.get(key));
  buckets.removeObject(bucket, key);
  const effect = { kind: 'object-deleted', bucket: bucketName, key } as const;
  return { status: 204, headers: {}, body: '', effect };
}

/** S3 stores these headers and all whose names begin with `x-amz-meta-`. */
const storedNames = new Set([
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]);

function readStoredHeaders({ headers }: WireRequest): Record<string, string> {
  const stored = Object.entries(headers).flatMap(([name, value = '']) => {
    if (!storedNames.has(name) && !name.startsWith('x-amz-meta-')) return [];
    // `aws-chunked` describes the transfer only.
    const parts = String(value).split(',');
    const kept = parts.filter((part) => part.trim() !== 'aws-chunked').join(',');
    return kept === '' ? [] : [[name, kept]];
  });
  return Object.fromEntries(stored);
}

function findObject({ bucketName, key, buckets, mayList }: S3Context) {
  const bucket = findBucket(buckets, bucketName);
  const object = bucket.objects.get(key);
  if (object) return { object, bucket };
  // Without s3:ListBucket, S3 does not say whether a key exists (documentation).
  if (!mayList()) throw awsError('AccessDenied', 'Access Denied', 403);
  throw awsError('NoSuchKey', 'The specified key does not exist.', 404);
}

function objectHeaders(
  { lastModified, summary, storedHeaders, encryption }: StoredObject,
  bucket: Bucket,
  { keys }: S3Context,
) {
  return {
    'content-type': 'binary/octet-stream',
    ...storedHeaders,
    'accept-ranges': 'bytes',
    'last-modified': new Date(lastModified).toUTCString(),
    etag: summary().entityTag,
    ...encryptionHeaders(encryption, bucket, keys),
  };
}

/** An answer has a checksum only if the request asks for it (documentation). */
function wantedChecksum({ checksumAlgorithm, checksum }: StoredObject, { request }: S3Context) {
  const isWanted = request.headers['x-amz-checksum-mode']?.toString().toUpperCase() === 'ENABLED';
  return isWanted ? checksumHeaders(checksumAlgorithm, checksum()) : undefined;
}
