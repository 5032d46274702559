import { awsError } from '../../wire/aws-error.ts';
import type { Answer } from '../../wire/exchange.ts';
import { writeXml, type XmlNode } from '../../wire/xml/xml.ts';
import type { StoredObject } from '../buckets.ts';
import type { S3Context } from '../operation.ts';
import { findBucket, s3Namespace } from './bucket-operations.ts';

const maxPage = 1000;

/** ListObjectsV2: pages by a token. */
export function listObjectsV2(context: S3Context): Answer {
  const { query } = context.request;
  const token = query.get('continuation-token') ?? undefined;
  const after = token === undefined ? (query.get('start-after') ?? '') : readToken(token);
  const { write, last, isTruncated, entries, listed } = readPage(context, after);
  return answerList({
    ...listed,
    KeyCount: entries.length,
    IsTruncated: isTruncated,
    ContinuationToken: token,
    NextContinuationToken: isTruncated ? writeToken(last) : undefined,
    StartAfter: query.has('start-after') ? write(query.get('start-after') ?? '') : undefined,
    ...showEntries(entries, write),
  });
}

/** ListObjects: the older operation. Pages by a name, which the answer has only with a delimiter. */
export function listObjects(context: S3Context): Answer {
  const { query } = context.request;
  const marker = query.get('marker') ?? '';
  const { write, last, isTruncated, entries, listed } = readPage(context, marker);
  return answerList({
    ...listed,
    Marker: write(marker),
    IsTruncated: isTruncated,
    NextMarker: isTruncated && listed.Delimiter !== undefined ? write(last) : undefined,
    ...showEntries(entries, write),
  });
}

interface Entry {
  name: string;
  /** Undefined for a common prefix. */
  object: StoredObject | undefined;
}

/** Reads a page of names after one name, in UTF-8 order. A common prefix counts like one key. */
function readPage({ bucketName, request, buckets }: S3Context, after: string) {
  const { objects } = findBucket(buckets, bucketName);
  const { query } = request;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const pageLength = readMaxKeys(query.get('max-keys'));
  const write = query.get('encoding-type') === 'url' ? encodeKey : (key: string) => key;

  const keys = sortByBytes([...objects.keys()].filter((key) => key.startsWith(prefix)));
  const entries: Entry[] = [];
  let isLastPage = true;
  for (const key of keys) {
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const name = cut < 0 ? key : key.slice(0, cut + delimiter.length);
    if (byBytes(name, after) <= 0 || entries.at(-1)?.name === name) continue;
    isLastPage = entries.length < pageLength;
    if (!isLastPage) break;
    entries.push({ name, object: cut < 0 ? objects.get(key) : undefined });
  }
  const listed = {
    Name: bucketName,
    Prefix: write(prefix),
    Delimiter: delimiter === '' ? undefined : write(delimiter),
    MaxKeys: pageLength,
    EncodingType: query.get('encoding-type') ?? undefined,
  };
  const last = entries.at(-1)?.name ?? '';
  return { write, last, isTruncated: !isLastPage && entries.length > 0, entries, listed };
}

function showEntries(entries: readonly Entry[], write: (key: string) => string) {
  return {
    Contents: entries.flatMap(({ name, object }) =>
      object ? [showObject(write(name), object)] : [],
    ),
    CommonPrefixes: entries.flatMap(({ name, object }) =>
      object ? [] : [{ Prefix: write(name) }],
    ),
  };
}

function answerList(content: XmlNode): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: writeXml('ListBucketResult', content, s3Namespace),
  };
}

function showObject(Key: string, { lastModified, summary, checksumAlgorithm }: StoredObject) {
  const { size, entityTag } = summary();
  return {
    Key,
    LastModified: new Date(lastModified).toISOString(),
    ETag: entityTag,
    ChecksumAlgorithm: checksumAlgorithm,
    ChecksumType: 'FULL_OBJECT',
    Size: size,
    StorageClass: 'STANDARD',
  };
}

function readMaxKeys(given: string | null): number {
  if (given === null) return maxPage;
  if (/^\d{1,9}$/.test(given)) return Math.min(Number(given), maxPage);
  throw awsError('InvalidArgument', 'Provided max-keys not an integer or within integer range');
}

/** Writes the token of the page after a name. It is opaque to clients. */
export function writeToken(last: string): string {
  return Buffer.from(`after:${last}`).toString('base64');
}

/** Reads the name from a token. @throws InvalidArgument */
export function readToken(token: string): string {
  const decoded = Buffer.from(token, 'base64').toString();
  if (decoded.startsWith('after:')) return decoded.slice('after:'.length);
  throw awsError('InvalidArgument', 'The continuation token provided is incorrect');
}

/**
 * Sorts in the order of UTF-8 bytes. Without surrogates it is that of UTF-16 units, which is built in: a
 * comparison of bytes would take most of the time of a long listing.
 */
function sortByBytes(keys: string[]): string[] {
  return keys.every(isWithoutSurrogates) ? keys.sort() : keys.sort(byBytes);
}

function byBytes(left: string, right: string): number {
  if (isWithoutSurrogates(left + right)) return left < right ? -1 : Number(left > right);
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

function isWithoutSurrogates(text: string): boolean {
  return !/[\ud800-\udfff]/.test(text);
}

/** Encodes a key as S3 does with `encoding-type=url`: all but unreserved characters and slashes. */
function encodeKey(key: string): string {
  return encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');
}
