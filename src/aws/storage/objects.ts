import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { HeadObjectCommandOutput, _Object as ListedObject } from '@aws-sdk/client-s3';

import { Problem } from '#problems/problem.ts';
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
      const page = await s3(call, ({ client, sdk }, how) =>
        client.send(
          new sdk.ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            StartAfter: after,
            MaxKeys: limit,
            EncodingType: 'url', // XML cannot contain every character of a key
          }),
          how,
        ),
      );
      const decode = page.EncodingType === 'url' ? decodeKey : (key: string) => key;
      const objects = (page.Contents ?? []).map((object) => toStoredObject(object, decode));
      return { objects, isComplete: page.IsTruncated !== true };
    },

    async readChecksum({ bucket, key }, options) {
      const call = { operation: 'HeadObject', bucket, objectKey: key, options };
      const head = await s3(call, ({ client, sdk }, how) =>
        client.send(
          new sdk.HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }),
          how,
        ),
      );
      return toChecksum(head);
    },

    async readObject({ bucket, key }, options) {
      const call = { operation: 'GetObject', bucket, objectKey: key, options };
      const { Body: body } = await s3(
        call,
        ({ client, sdk }, how) =>
          client.send(new sdk.GetObjectCommand({ Bucket: bucket, Key: key }), how),
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
          .catch(takeAsExisting);
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

function decodeKey(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '));
}

function toStoredObject(
  { Key, Size, ETag, LastModified, ChecksumAlgorithm: algorithms }: ListedObject,
  decode: (key: string) => string,
): StoredObject {
  if (Key === undefined || Size === undefined || !ETag || !LastModified) {
    throw new Problem(
      'aws-unexpected',
      'AWS listed an object without its key, size, ETag or time.',
    );
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
