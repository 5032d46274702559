import { awsError } from '../wire/aws-error.ts';
import type { Answer } from '../wire/exchange.ts';
import { writeXml } from '../wire/xml.ts';
import { findBucket, s3Namespace } from './bucket-operations.ts';
import { entityTag, type StoredObject } from './buckets.ts';
import type { S3Context } from './operation.ts';

const maxPage = 1000;

/** ListObjectsV2: keys in UTF-8 order; common prefixes count as one each, like keys. */
export function listObjects({ bucketName, request, buckets }: S3Context): Answer {
  const { objects } = findBucket(buckets, bucketName);
  const { query } = request;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const token = query.get('continuation-token') ?? undefined;
  const after = token === undefined ? (query.get('start-after') ?? '') : readToken(token);
  const pageLength = readMaxKeys(query.get('max-keys'));
  const write = query.get('encoding-type') === 'url' ? encodeKey : (key: string) => key;

  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(byBytes);
  const entries: { name: string; object: StoredObject | undefined }[] = [];
  let isTruncated = false;
  for (const key of keys) {
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const name = cut < 0 ? key : key.slice(0, cut + delimiter.length);
    if (byBytes(name, after) <= 0 || entries.at(-1)?.name === name) continue;
    isTruncated = entries.length === pageLength;
    if (isTruncated) break;
    entries.push({ name, object: cut < 0 ? objects.get(key) : undefined });
  }

  const last = entries.at(-1)?.name;
  const content = {
    Name: bucketName,
    Prefix: write(prefix),
    Delimiter: delimiter === '' ? undefined : write(delimiter),
    MaxKeys: pageLength,
    EncodingType: query.get('encoding-type') ?? undefined,
    KeyCount: entries.length,
    IsTruncated: isTruncated && last !== undefined,
    ContinuationToken: token,
    NextContinuationToken: isTruncated && last !== undefined ? writeToken(last) : undefined,
    StartAfter: query.has('start-after') ? write(query.get('start-after') ?? '') : undefined,
    Contents: entries.flatMap(({ name, object }) =>
      object ? [showObject(write(name), object)] : [],
    ),
    CommonPrefixes: entries.flatMap(({ name, object }) =>
      object ? [] : [{ Prefix: write(name) }],
    ),
  };
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: writeXml('ListBucketResult', content, s3Namespace),
  };
}

function showObject(Key: string, { body, lastModified }: StoredObject) {
  const bytes = body();
  return {
    Key,
    LastModified: new Date(lastModified).toISOString(),
    ETag: entityTag(bytes),
    Size: bytes.length,
    StorageClass: 'STANDARD',
  };
}

function readMaxKeys(given: string | null): number {
  if (given === null) return maxPage;
  if (/^\d{1,9}$/.test(given)) return Math.min(Number(given), maxPage);
  throw awsError('InvalidArgument', 'Provided max-keys not an integer or within integer range');
}

function writeToken(last: string): string {
  return Buffer.from(`after:${last}`).toString('base64');
}

function readToken(token: string): string {
  const decoded = Buffer.from(token, 'base64').toString();
  if (decoded.startsWith('after:')) return decoded.slice('after:'.length);
  throw awsError('InvalidArgument', 'The continuation token provided is incorrect');
}

function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** As S3 encodes keys on request: everything but unreserved characters and slashes. */
function encodeKey(key: string): string {
  return encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');
}
