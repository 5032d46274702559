import { awsError } from '../../wire/aws-error.ts';
import type { Answer } from '../../wire/exchange.ts';
import { readXmlElement, readXmlElements, writeXml } from '../../wire/xml/xml.ts';
import type { S3Context } from '../operation.ts';
import { readPayload } from '../payload.ts';
import { findBucket, s3Namespace } from './bucket-operations.ts';

/** Maximum number of keys in one request (documentation). */
const maxKeys = 1000;

// Without them, an object would be deleted that the request wants to keep.
const unsupported = /<(?:ETag|LastModifiedTime|Size|VersionId)[\s>]/;

/**
 * DeleteObjects: unknown keys count as deleted. A key without permission has an error of its own. With
 * `Quiet` the answer names only errors.
 */
export function deleteObjects({ bucketName, request, buckets, obstacleAt }: S3Context): Answer {
  const bucket = findBucket(buckets, bucketName);
  const xml = readPayload(request).toString();
  const keys = readXmlElements(xml, 'Key');
  if (keys.length === 0 || keys.length > maxKeys) {
    const message =
      'The XML you provided was not well-formed or did not validate against our published schema';
    throw awsError('MalformedXML', message);
  }
  if (unsupported.test(xml)) {
    throw awsError('NotImplemented', 'The emulator deletes objects only by their keys.', 501);
  }
  const results = keys.map((Key) => ({ Key, Message: obstacleAt(Key) }));
  const removed = results.filter(({ Message }) => Message === undefined);
  for (const { Key } of removed) buckets.removeObject(bucket, Key);
  const isQuiet = readXmlElement(xml, 'Quiet') === 'true';
  const content = {
    Deleted: isQuiet ? [] : removed.map(({ Key }) => ({ Key })),
    Error: results.flatMap(({ Key, Message }) =>
      Message === undefined ? [] : [{ Key, Code: 'AccessDenied', Message }],
    ),
  };
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: writeXml('DeleteResult', content, s3Namespace),
    effect: { kind: 'objects-deleted', bucket: bucketName, keys: removed.map(({ Key }) => Key) },
  };
}
