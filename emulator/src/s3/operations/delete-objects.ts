import { awsError } from '../../wire/aws-error.ts';
import type { Answer } from '../../wire/exchange.ts';
import { readXmlElement, readXmlElements, writeXml } from '../../wire/xml/xml.ts';
import type { S3Context } from '../operation.ts';
import { readPayload } from '../payload.ts';
import { findBucket, s3Namespace } from './bucket-operations.ts';

/** Maximum number of keys in one request (documentation). */
const maxKeys = 1000;

/** DeleteObjects: unknown keys count as deleted. With `Quiet` the answer names only errors. */
export function deleteObjects({ bucketName, request, buckets }: S3Context): Answer {
  const bucket = findBucket(buckets, bucketName);
  const xml = readPayload(request).toString();
  const keys = readXmlElements(xml, 'Key');
  if (keys.length === 0 || keys.length > maxKeys) {
    const message =
      'The XML you provided was not well-formed or did not validate against our published schema';
    throw awsError('MalformedXML', message);
  }
  for (const key of keys) buckets.removeObject(bucket, key);
  const isQuiet = readXmlElement(xml, 'Quiet') === 'true';
  const content = { Deleted: isQuiet ? [] : keys.map((Key) => ({ Key })) };
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: writeXml('DeleteResult', content, s3Namespace),
    effect: { kind: 'objects-deleted', bucket: bucketName, keys },
  };
}
