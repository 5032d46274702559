import { describe, expect, test } from 'vitest';

import { pointSdkAt, region } from '../../world.ts';
import { openStorage } from './open-storage.ts';

describe('a bucket', () => {
  test('has its Region, and belongs to the account of the target or not', async () => {
    await using opened = await openStorage();
    const { emulator, storage } = opened;
    emulator.seed.bucket({ region, bucket: 'theirs', accountId: '210987654321' });
    emulator.seed.bucket({ region: 'us-east-1', bucket: 'elsewhere' });

    expect(await storage.readBucket('archive')).toEqual({
      outcome: 'known',
      value: { region, isOwn: true },
    });
    expect(await storage.readBucket('theirs')).toEqual({
      outcome: 'known',
      value: { region, isOwn: false },
    });
    expect(await storage.readBucket('elsewhere')).toEqual({
      outcome: 'known',
      value: { region: 'us-east-1', isOwn: undefined },
    });
    expect(await storage.readBucket('nowhere')).toEqual({ outcome: 'absent' });
  });

  test('has its Region when the role may not list it', async () => {
    await using opened = await openStorage({ deniedActions: { '*': ['s3:ListBucket'] } });

    expect(await opened.storage.readBucket('archive')).toEqual({
      outcome: 'known',
      value: { region, isOwn: undefined },
    });
  });

  test('may be of another account where a refusal has no Region', async () => {
    await using opened = await openStorage();
    const refused = { operation: 'HeadBucket', kind: 'error', status: 403, code: 'X' } as const;
    opened.emulator.faults.add(refused);
    expect(await opened.storage.readBucket('archive')).toMatchObject({ value: { isOwn: false } });

    opened.emulator.faults.add({ ...refused, count: 2 });
    expect(await opened.storage.readBucket('archive')).toEqual({ outcome: 'denied' });
  });

  test('stays unknown, with the problem, when S3 does not answer', async () => {
    await using opened = await openStorage();
    opened.emulator.faults.add({ operation: 'HeadBucket', kind: 'error', status: 503, count: 3 });

    expect(await opened.storage.readBucket('archive')).toMatchObject({
      outcome: 'unknown',
      problem: { slug: 'aws-unavailable', detail: expect.stringContaining('S3') },
    });
  });
});

test.each([
  'arn:aws:s3:::archive',
  'arn:aws:s3:eu-west-1:123456789012:accesspoint/archive',
  'archive/exports',
  'archive?policy',
  '..',
  'a b',
  '',
  'exports--euw1-az1--x-s3',
])('a bucket is absent, and AWS is not called, for the name %j', async (bucket) => {
  await using opened = await openStorage();
  const { storage, emulator } = opened;
  const place = { bucket, key: 'key' };

  expect(await storage.readBucket(bucket)).toEqual({ outcome: 'absent' });
  expect(await storage.readBucketPolicy(bucket)).toEqual({ outcome: 'absent' });
  await expect(storage.listObjects({ bucket, prefix: '' })).rejects.toMatchObject({
    slug: 'destination-not-found',
  });
  await expect(storage.readObject(place)).rejects.toMatchObject({ slug: 'destination-not-found' });
  expect(emulator.journal.entries()).toEqual([]);
});

test('a bucket is found by its path where a host name replaces AWS', async () => {
  await using opened = await openStorage();
  pointSdkAt(opened.emulator.url.replace('127.0.0.1', 'localhost'));

  expect(await opened.storage.readBucket('archive')).toMatchObject({ outcome: 'known' });
});

test('a bucket is looked for at the endpoint of S3 if S3 has one of its own', async () => {
  await using opened = await openStorage();
  pointSdkAt('http://127.0.0.1:1');
  process.env.AWS_ENDPOINT_URL_S3 = opened.emulator.url;

  expect(await opened.storage.readBucket('archive')).toMatchObject({ outcome: 'known' });
});

describe('a bucket policy', () => {
  test('has its text, or counts as absent', async () => {
    await using opened = await openStorage();
    const policy = '{ "Version": "2012-10-17", "Statement": [] }';
    opened.emulator.seed.bucket({ region, bucket: 'closed', policy: null });
    opened.emulator.seed.bucket({ region, bucket: 'open', policy });

    expect(await opened.storage.readBucketPolicy('open')).toEqual({
      outcome: 'known',
      value: policy,
    });
    expect(await opened.storage.readBucketPolicy('closed')).toEqual({ outcome: 'absent' });
    expect(await opened.storage.readBucketPolicy('nowhere')).toEqual({ outcome: 'absent' });
  });
});

test('each call is audited with its bucket and its key', async () => {
  await using opened = await openStorage();
  const { storage, records } = opened;
  const place = { bucket: 'archive', key: 'a b' };

  await storage.readBucketPolicy('archive', { caller: 'issuer#someone' });
  await storage.writeOnce({ ...place, body: Buffer.from('x'), contentType: 'text/plain' });
  await storage.readObject({ bucket: 'archive', key: 'none' }).catch(() => {});

  const ids = { awsRequestId: expect.any(String) };
  expect(records).toMatchObject([
    {
      service: 's3',
      operation: 'GetBucketPolicy',
      principal: 'issuer#someone',
      destination: 'archive',
      outcome: 'ok',
      ...ids,
    },
    { operation: 'PutObject', principal: 'log-export-gateway', objectKey: 'a b', outcome: 'ok' },
    { operation: 'GetObject', objectKey: 'none', outcome: 'NoSuchKey', ...ids },
  ]);
});
