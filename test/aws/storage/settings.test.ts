import {
  DeleteBucketOwnershipControlsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { region } from '../../world.ts';
import { accountId, type OpenStorage, openStorage } from './open-storage.ts';

const keyId = '1234abcd-12ab-34cd-56ef-1234567890ab';
const disabledKeyId = '1234abcd-12ab-34cd-56ef-1234567890ac';
const keyArn = `arn:aws:kms:${region}:${accountId}:key/${keyId}`;
const keyPolicy = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${accountId}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
  ],
});

let opened: OpenStorage;
beforeAll(async () => {
  opened = await openStorage();
  const { seed } = opened.emulator;
  seed.key({ region, keyId, alias: 'alias/exports', policy: keyPolicy });
  seed.key({ region, keyId: disabledKeyId, state: 'Disabled' });
  seed.bucket({
    region,
    bucket: 'locked',
    encryption: { algorithm: 'aws:kms', keyId: keyArn },
    objectOwnership: 'ObjectWriter',
    objectLock: { mode: 'COMPLIANCE', days: 30 },
    lifecycle: [{ id: 'old', prefix: 'exports/', expirationDays: 90 }],
  });
});
afterAll(() => opened[Symbol.asyncDispose]());

/** The emulator as S3, for settings that its seed does not have. */
const openClient = () =>
  new S3Client({ region, endpoint: opened.emulator.url, forcePathStyle: true });

const known = (value: unknown) => ({ outcome: 'known', value });
const absent = { outcome: 'absent' };

describe('the settings of a bucket', () => {
  test('has its encryption and key', async () => {
    expect(await opened.storage.readEncryption('archive')).toEqual(known({ algorithm: 'AES256' }));
    expect(await opened.storage.readEncryption('locked')).toEqual(
      known({ algorithm: 'aws:kms', keyId: keyArn }),
    );
  });

  test('has its Object Ownership, if it is set', async () => {
    using client = { s3: openClient(), [Symbol.dispose]: () => client.s3.destroy() };
    opened.emulator.seed.bucket({ region, bucket: 'older' });
    await client.s3.send(new DeleteBucketOwnershipControlsCommand({ Bucket: 'older' }));

    expect(await opened.storage.readObjectOwnership('archive')).toEqual(
      known('BucketOwnerEnforced'),
    );
    expect(await opened.storage.readObjectOwnership('locked')).toEqual(known('ObjectWriter'));
    expect(await opened.storage.readObjectOwnership('older')).toEqual(absent);
  });

  test('has its Object Lock, with a default retention in days if there is one', async () => {
    using client = { s3: openClient(), [Symbol.dispose]: () => client.s3.destroy() };
    opened.emulator.seed.bucket({ region, bucket: 'for-years', objectLock: {} });
    const before = await opened.storage.readObjectLock('for-years');
    await client.s3.send(
      new PutObjectLockConfigurationCommand({
        Bucket: 'for-years',
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Years: 2 } },
        },
      }),
    );

    expect(before).toEqual(known({}));
    expect(await opened.storage.readObjectLock('for-years')).toEqual(
      known({ mode: 'GOVERNANCE', days: 730 }),
    );
    expect(await opened.storage.readObjectLock('locked')).toEqual(
      known({ mode: 'COMPLIANCE', days: 30 }),
    );
    expect(await opened.storage.readObjectLock('archive')).toEqual(absent);
  });

  test('has its lifecycle rules, in every form of a filter', async () => {
    using client = { s3: openClient(), [Symbol.dispose]: () => client.s3.destroy() };
    opened.emulator.seed.bucket({ region, bucket: 'tidy' });
    const expiration = { Expiration: { Days: 7 }, Status: 'Enabled' } as const;
    const date = new Date('2030-01-01T00:00:00Z');
    await client.s3.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket: 'tidy',
        LifecycleConfiguration: {
          Rules: [
            { ID: 'all', Filter: {}, Expiration: { Date: date }, Status: 'Disabled' },
            { ID: 'tag', Filter: { Tag: { Key: 'a', Value: 'b' } }, ...expiration },
            { ID: 'size', Filter: { ObjectSizeGreaterThan: 0 }, ...expiration },
            {
              ID: 'both',
              Filter: { And: { Prefix: 'a&b/', ObjectSizeLessThan: 9 } },
              ...expiration,
            },
            { ID: 'old form', Prefix: 'c/', ...expiration },
          ],
        },
      }),
    );
    const rule = { isEnabled: true, prefix: '', expirationDays: 7, hasOtherFilters: true };

    expect(await opened.storage.readLifecycle('tidy')).toEqual(
      known([
        {
          id: 'all',
          isEnabled: false,
          prefix: '',
          expirationDate: date.getTime(),
          hasOtherFilters: false,
        },
        { ...rule, id: 'tag' },
        { ...rule, id: 'size' },
        { ...rule, id: 'both', prefix: 'a&b/' },
        { ...rule, id: 'old form', prefix: 'c/', hasOtherFilters: false },
      ]),
    );
    expect(await opened.storage.readLifecycle('archive')).toEqual(absent);
  });

  test('is absent for a bucket that does not exist', async () => {
    const { storage } = opened;

    const readings = await Promise.all([
      storage.readBucketPolicy('nowhere'),
      storage.readEncryption('nowhere'),
      storage.readObjectOwnership('nowhere'),
      storage.readObjectLock('nowhere'),
      storage.readLifecycle('nowhere'),
    ]);

    expect(readings).toEqual(Array(5).fill(absent));
  });
});

describe('a key of KMS', () => {
  test.each([keyId, keyArn, 'alias/exports', `arn:aws:kms:${region}:${accountId}:alias/exports`])(
    'is known as %s',
    async (id) => {
      expect(await opened.storage.readKey(id)).toEqual(
        known({ arn: keyArn, isEnabled: true, state: 'Enabled', isAwsManaged: false }),
      );
    },
  );

  test('has its state, and whether AWS manages it', async () => {
    expect(await opened.storage.readKey(disabledKeyId)).toMatchObject({
      value: { isEnabled: false, state: 'Disabled' },
    });
    expect(await opened.storage.readKey('alias/aws/s3')).toMatchObject({
      value: { isAwsManaged: true },
    });
    expect(await opened.storage.readKey('alias/unknown')).toEqual(absent);
  });

  test('has its policy', async () => {
    expect(await opened.storage.readKeyPolicy(keyArn)).toEqual(known(keyPolicy));
  });
});

test('every setting that the role may not read is denied', async () => {
  await using closed = await openStorage({
    deniedActions: {
      '*': [
        's3:GetBucketPolicy',
        's3:GetEncryptionConfiguration',
        's3:GetBucketOwnershipControls',
        's3:GetBucketObjectLockConfiguration',
        's3:GetLifecycleConfiguration',
        'kms:DescribeKey',
        'kms:GetKeyPolicy',
      ],
    },
  });
  const { storage, emulator } = closed;
  emulator.seed.key({ region, keyId });

  const readings = await Promise.all([
    storage.readBucketPolicy('archive'),
    storage.readEncryption('archive'),
    storage.readObjectOwnership('archive'),
    storage.readObjectLock('archive'),
    storage.readLifecycle('archive'),
    storage.readKey(keyId),
    storage.readKeyPolicy(keyId),
  ]);

  expect(readings).toEqual(Array(7).fill({ outcome: 'denied' }));
});
