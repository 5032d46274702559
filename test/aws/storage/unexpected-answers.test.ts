import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Storage } from '#aws/storage/storage.ts';
import { region } from '../../world.ts';
import { type OpenStorage, openStorage } from './open-storage.ts';

const bucket = 'archive';
const keyId = '1234abcd-12ab-34cd-56ef-1234567890ab';
const html = '<html><body>Sign in</body></html>';
const object = '<Contents><Key>a</Key><Size>1</Size><ETag>"x"</ETag></Contents>';
const list = (content: string) => `<ListBucketResult>${content}</ListBucketResult>`;

let opened: OpenStorage;
beforeAll(async () => {
  opened = await openStorage();
  opened.emulator.seed.key({ region, keyId });
  const body = Buffer.from('content');
  await opened.storage.writeOnce({ bucket, key: 'key', body, contentType: 'text/plain' });
});
afterAll(() => opened[Symbol.asyncDispose]());

/** Answers the next call of an operation with 200 and this body, without the headers of AWS. */
function answerWith(operation: string, body: string, contentType = 'text/html') {
  const fault = { kind: 'replace-body', body, contentType } as const;
  opened.emulator.faults.add({ ...fault, operation: operation as 'GetObject' });
}

type Call = (storage: Storage) => Promise<unknown>;

describe('a status 200 that S3 did not send', () => {
  test.for([
    ['an empty body', ''],
    ['HTML', html],
    ['neither a count nor whether keys follow', list('')],
    ['no count', list('<IsTruncated>false</IsTruncated>')],
    ['another count', list('<IsTruncated>false</IsTruncated><KeyCount>1</KeyCount>')],
    ['a count alone', list('<KeyCount>0</KeyCount>')],
    [
      'no keys although others follow',
      list('<IsTruncated>true</IsTruncated><KeyCount>0</KeyCount>'),
    ],
    ['no time', list(`<IsTruncated>false</IsTruncated><KeyCount>1</KeyCount>${object}`)],
  ] as const)('throws aws-unexpected for a list with %s', async ([, body]) => {
    answerWith('ListObjectsV2', body, 'application/xml');

    await expect(opened.storage.listObjects({ bucket, prefix: '' })).rejects.toMatchObject({
      slug: 'aws-unexpected',
      members: { awsRequestId: expect.any(String) },
    });
    expect(opened.records.at(-1)).toMatchObject({ outcome: 'aws-unexpected' });
  });

  test('throws aws-unexpected for a list with a key that is no URL encoding', async () => {
    const keyed =
      '<Contents><Key>50%</Key><Size>1</Size><ETag>"x"</ETag><LastModified>2024-05-01T00:00:00.000Z</LastModified></Contents>';
    const page = '<EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>';
    answerWith('ListObjectsV2', list(`${page}<KeyCount>1</KeyCount>${keyed}`), 'application/xml');

    await expect(opened.storage.listObjects({ bucket, prefix: '' })).rejects.toMatchObject({
      slug: 'aws-unexpected',
      cause: { message: expect.stringContaining('the member Key') },
    });
  });

  const place = { bucket, key: 'key' };
  const calls: [operation: string, call: Call][] = [
    ['HeadObject', (storage) => storage.readChecksum(place)],
    ['GetObject', (storage) => storage.readObject(place)],
    [
      'PutObject',
      (storage) =>
        storage.writeOnce({
          bucket,
          key: 'new',
          body: Buffer.from('x'),
          contentType: 'text/plain',
        }),
    ],
  ];
  test.for(calls)('throws aws-unexpected for %s without an ETag', async ([operation, call]) => {
    answerWith(operation, html);

    await expect(call(opened.storage)).rejects.toMatchObject({ slug: 'aws-unexpected' });
  });

  const reads: [operation: string, body: string, call: Call][] = [
    ['HeadBucket', '', (storage) => storage.readBucket(bucket)],
    ['GetBucketPolicy', '', (storage) => storage.readBucketPolicy(bucket)],
    ['GetBucketEncryption', html, (storage) => storage.readEncryption(bucket)],
    ['GetBucketOwnershipControls', html, (storage) => storage.readObjectOwnership(bucket)],
    ['GetObjectLockConfiguration', html, (storage) => storage.readObjectLock(bucket)],
    ['GetBucketLifecycleConfiguration', html, (storage) => storage.readLifecycle(bucket)],
    ['DescribeKey', '{}', (storage) => storage.readKey(keyId)],
    ['DescribeKey', '{"KeyMetadata":{}}', (storage) => storage.readKey(keyId)],
    ['GetKeyPolicy', '{}', (storage) => storage.readKeyPolicy(keyId)],
  ];
  test.for(reads)('says nothing about a setting: %s with %j', async ([operation, body, call]) => {
    answerWith(operation, body);

    expect(await call(opened.storage)).toMatchObject({
      outcome: 'unknown',
      problem: { slug: 'aws-unexpected' },
    });
  });
});

test('a rule of encryption without a default means SSE-S3', async () => {
  const rule = '<Rule><BucketKeyEnabled>true</BucketKeyEnabled></Rule>';
  answerWith(
    'GetBucketEncryption',
    `<ServerSideEncryptionConfiguration>${rule}</ServerSideEncryptionConfiguration>`,
  );

  expect(await opened.storage.readEncryption(bucket)).toEqual({
    outcome: 'known',
    value: { algorithm: 'AES256' },
  });
});
