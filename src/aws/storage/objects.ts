import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type {
  HeadObjectCommandOutput,
  _Object as ListedObject,
  ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3';

import { unexpectedAnswer } from '../client/unexpected-answer.ts';
import { toAwsProblem } from '../error-meaning.ts';
import type { S3 } from './calls/sdk.ts';
import type { ServiceCalls } from './calls/storage-calls.ts';
import { limitSilence } from './silence.ts';
import type { ObjectChecksum, Storage, StoredObject } from './storage.ts';

type ObjectCalls = Pick<Storage, 'listObjects' | 'readChecksum' | 'readObject' | 'writeOnce'>;

// Shorter: an object whose next part takes S3 some seconds counts as lost. Longer: a verification hangs.
const maxSilenceMs = 15_000;
// The list of a million objects has about 30 MB. Shorter: it cannot be written through a slow line.
// Longer: a write that hangs delays the next attempt.
const writeMs = 60_000;

/** Makes the calls about objects. */
export function makeObjectCalls(s3: ServiceCalls<S3>): ObjectCalls {
  return {
    async listObjects({ bucket, prefix, after, limit }, options) {
      const call = { operation: 'ListObjectsV2', bucket, objectKey: prefix, options };
      return s3(call, async ({ client, sdk }, how) => {
        const command = new sdk.ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          StartAfter: after,
          MaxKeys: limit,
          EncodingType: 'url', // XML cannot contain every character of a key
        });
        return readObjectPage(await client.send(command, how));
      });
    },

    async readChecksum({ bucket, key }, options) {
      const call = { operation: 'HeadObject', bucket, objectKey: key, options };
      const command = { Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' } as const;
      const head = await s3(call, async ({ client, sdk }, how) =>
        withTag(await client.send(new sdk.HeadObjectCommand(command), how)),
      );
      return toChecksum(head);
    },

    async readObject({ bucket, key }, options) {
      const call = { operation: 'GetObject', bucket, objectKey: key, options };
      const { Body: body } = await s3(
        call,
        async ({ client, sdk }, how) =>
          withTag(await client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key }), how)),
        (answer) => finished(answer.Body as Readable).catch(() => {}),
      );
      const translate = (error: unknown) => toAwsProblem('S3', error);
      return limitSilence(body as Readable, { maxSilenceMs, translate });
    },

    async writeOnce({ bucket, key, body, contentType, contentEncoding }, options) {
      const call = { operation: 'PutObject', bucket, objectKey: key, options, deadlineMs: writeMs };
      const { isWritten } = await s3(call, async ({ client, sdk }, how) => {
        const command = new sdk.PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: body,
          ContentType: contentType,
          ContentEncoding: contentEncoding,
          IfNoneMatch: '*',
          // As exports do. The documented policy of a bucket in another account requires it.
          ACL: 'bucket-owner-full-control',
        });
        const { $metadata } = await client
          .send(command, { ...how, requestTimeout: writeMs })
          .then(withTag, takeAsExisting);
        return { isWritten: $metadata.httpStatusCode !== 412, $metadata };
      });
      return isWritten ? 'written' : 'exists';
    },
  };
}

/** S3 answers 412 if there is an object with this key. */
function takeAsExisting(error: Error & { $metadata?: { httpStatusCode?: number } }) {
  const { $metadata } = error;
  if ($metadata?.httpStatusCode !== 412) throw error;
  return { $metadata };
}

/** Requires the ETag, which S3 sends with each object. Without it, something else has answered. */
function withTag<Answer extends TaggedAnswer>(answer: Answer): Answer {
  if (answer.ETag) return answer;
  if (answer.Body instanceof Readable) answer.Body.destroy();
  throw unexpectedAnswer(answer, 'ETag');
}

interface TaggedAnswer {
  ETag?: string | undefined;
  Body?: unknown;
  $metadata: object;
}

/** Reads a page of a list. S3 always says how many keys it has, and whether others follow. */
function readObjectPage(page: ListObjectsV2CommandOutput) {
  const { Contents: listed = [], KeyCount: count, IsTruncated: isTruncated, $metadata } = page;
  if (count !== listed.length) throw unexpectedAnswer(page, 'KeyCount');
  // After an empty page, the next one could not be requested.
  if (isTruncated === undefined || (isTruncated && count === 0)) {
    throw unexpectedAnswer(page, 'IsTruncated');
  }
  const decode = (key: string) => (page.EncodingType === 'url' ? decodeKey(page, key) : key);
  const objects = listed.map((object) => toStoredObject(page, object, decode));
  return { objects, isComplete: !isTruncated, $metadata };
}

function decodeKey(page: ListObjectsV2CommandOutput, key: string): string {
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    throw unexpectedAnswer(page, 'Key');
  }
}

function toStoredObject(
  page: ListObjectsV2CommandOutput,
  { Key, Size, ETag, LastModified, ChecksumAlgorithm: algorithms }: ListedObject,
  decode: (key: string) => string,
): StoredObject {
  if (Key === undefined || Size === undefined || !ETag || !LastModified) {
    throw unexpectedAnswer(page, 'Contents');
  }
  const [checksumAlgorithm] = algorithms ?? [];
  return {
    key: decode(Key),
    size: Size,
    etag: ETag.replaceAll('"', ''),
    lastModified: LastModified.getTime(),
    ...(checksumAlgorithm !== undefined && { checksumAlgorithm }),
  };
}

/** Reads the checksum. Its member is named for its algorithm, such as ChecksumCRC64NVME. */
function toChecksum({
  ChecksumType: type,
  ...head
}: HeadObjectCommandOutput): ObjectChecksum | undefined {
  for (const [member, value] of Object.entries(head)) {
    const [, algorithm] = /^Checksum(.+)$/.exec(member) ?? [];
    if (algorithm === undefined || typeof value !== 'string') continue;
    return { algorithm, value, ...(type && { type }) };
  }
  return undefined;
}
