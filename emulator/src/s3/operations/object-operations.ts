import { awsError } from '../../wire/aws-error.ts';
import type { Answer } from '../../wire/exchange.ts';
import { isValidKeyLength } from '../buckets.ts';
import type { S3Context } from '../operation.ts';
import { readPayload } from '../payload.ts';
import { findBucket } from './bucket-operations.ts';

/** GetObject: the whole object, or one range of bytes. */
export function getObject(context: S3Context): Answer {
  const { object, headers } = findObject(context);
  const body = object.body();
  const range = context.request.headers.range;
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === undefined || last === undefined || first + last === '') {
    return { status: 200, headers, body };
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

/** HeadObject: size, tag and time of an object. */
export function headObject(context: S3Context): Answer {
  const { object, headers } = findObject(context);
  const size = String(object.summary().size);
  return { status: 200, headers: { ...headers, 'content-length': size }, body: '' };
}

/** PutObject: accepts checksums without verifying them. */
export function putObject({ bucketName, key, request, buckets, clock }: S3Context): Answer {
  const bucket = findBucket(buckets, bucketName);
  if (!isValidKeyLength(key)) throw awsError('KeyTooLongError', 'Your key is too long');
  const payload = readPayload(request);
  const content = { body: () => payload, lastModified: clock.now() };
  const { entityTag } = buckets.putObject(bucket, key, content).summary();
  return {
    status: 200,
    headers: { etag: entityTag },
    body: '',
    effect: { kind: 'object-stored', bucket: bucketName, key },
  };
}

/** DeleteObject: succeeds also for an unknown key. */
export function deleteObject({ bucketName, key, buckets }: S3Context): Answer {
  buckets.removeObject(findBucket(buckets, bucketName), key);
  const effect = { kind: 'object-deleted', bucket: bucketName, key } as const;
  return { status: 204, headers: {}, body: '', effect };
}

function findObject({ bucketName, key, buckets }: S3Context) {
  const object = findBucket(buckets, bucketName).objects.get(key);
  if (!object) throw awsError('NoSuchKey', 'The specified key does not exist.', 404);
  const headers = {
    'content-type': 'binary/octet-stream',
    'accept-ranges': 'bytes',
    'last-modified': new Date(object.lastModified).toUTCString(),
    etag: object.summary().entityTag,
  };
  return { object, headers };
}
