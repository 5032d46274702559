import { awsError } from '../../wire/aws-error.ts';
import type { Answer } from '../../wire/exchange.ts';
import {
  type ConfigurationName,
  configurationKinds,
  readEncryption,
  writeConfigurations,
} from '../configurations.ts';
import type { S3Context } from '../operation.ts';
import { readPayload } from '../payload.ts';
import { findBucket, s3Namespace } from './bucket-operations.ts';

/** Makes the operation that shows a configuration, as it was put. */
export function getConfiguration(name: ConfigurationName) {
  const { root, code, message } = configurationKinds[name];
  return ({ bucketName, buckets }: S3Context): Answer => {
    const content = findBucket(buckets, bucketName).configurations[name];
    if (content === undefined) throw awsError(code, message, 404);
    return {
      status: 200,
      headers: { 'content-type': 'application/xml' },
      body: `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="${s3Namespace}">${content}</${root}>`,
    };
  };
}

/** Makes the operation that replaces a configuration. Its content is kept, and checked no further. */
export function putConfiguration(name: ConfigurationName) {
  const { root } = configurationKinds[name];
  return ({ bucketName, request, buckets }: S3Context): Answer => {
    const bucket = findBucket(buckets, bucketName);
    const content = readContent(readPayload(request).toString(), root);
    if (content === undefined || !isKnownEncryption(content)) {
      const message =
        'The XML you provided was not well-formed or did not validate against our published schema';
      throw awsError('MalformedXML', message);
    }
    buckets.configure(bucket, { ...bucket.configurations, [name]: content });
    return configured(bucketName, 200);
  };
}

/** Makes the operation that removes a configuration. The encryption then is the default of S3 again. */
export function deleteConfiguration(name: ConfigurationName) {
  return ({ bucketName, buckets }: S3Context): Answer => {
    const bucket = findBucket(buckets, bucketName);
    const { [name]: _, ...others } = bucket.configurations;
    const { encryption = '' } = writeConfigurations();
    buckets.configure(bucket, name === 'encryption' ? { ...others, encryption } : others);
    return configured(bucketName, 204);
  };
}

function configured(bucket: string, status: number): Answer {
  return { status, headers: {}, body: '', effect: { kind: 'bucket-configured', bucket } };
}

/** Returns the text between the tags of the root. */
function readContent(xml: string, root: string): string | undefined {
  const start = xml.indexOf(`<${root}`);
  const contentStart = xml.indexOf('>', start) + 1;
  const end = xml.lastIndexOf(`</${root}>`);
  return start < 0 || end < contentStart ? undefined : xml.slice(contentStart, end);
}

const algorithms = new Set(['AES256', 'aws:kms', 'aws:kms:dsse']);

function isKnownEncryption(encryption: string): boolean {
  return algorithms.has(readEncryption({ encryption }).algorithm);
}
