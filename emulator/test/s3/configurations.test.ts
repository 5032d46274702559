import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteBucketEncryptionCommand,
  DeleteBucketLifecycleCommand,
  DeleteBucketOwnershipControlsCommand,
  DeletePublicAccessBlockCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  type LifecycleRule,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketOwnershipControlsCommand,
  PutObjectLockConfigurationCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { bucket, openAws, refusal } from '../aws.ts';

type Aws = Awaited<ReturnType<typeof openAws>>;

const readers = {
  encryption: async ({ s3 }: Aws, Bucket = bucket) =>
    (await s3.send(new GetBucketEncryptionCommand({ Bucket }))).ServerSideEncryptionConfiguration
      ?.Rules?.[0]?.ApplyServerSideEncryptionByDefault,
  ownership: async ({ s3 }: Aws, Bucket = bucket) =>
    (await s3.send(new GetBucketOwnershipControlsCommand({ Bucket }))).OwnershipControls?.Rules,
  lock: async ({ s3 }: Aws, Bucket = bucket) =>
    (await s3.send(new GetObjectLockConfigurationCommand({ Bucket }))).ObjectLockConfiguration,
  lifecycle: async ({ s3 }: Aws, Bucket = bucket) =>
    (await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket }))).Rules,
  publicAccess: async ({ s3 }: Aws, Bucket = bucket) =>
    (await s3.send(new GetPublicAccessBlockCommand({ Bucket }))).PublicAccessBlockConfiguration,
};

describe('the configurations of a bucket', () => {
  it('of a new one are those of the console, without Object Lock and lifecycle', async () => {
    await using aws = await openAws();
    const Bucket = 'another-one';
    await aws.s3.send(new CreateBucketCommand({ Bucket }));

    expect(await readers.encryption(aws, Bucket)).toEqual({ SSEAlgorithm: 'AES256' });
    expect(await readers.ownership(aws, Bucket)).toEqual([
      { ObjectOwnership: 'BucketOwnerEnforced' },
    ]);
    expect(await readers.publicAccess(aws, Bucket)).toEqual({
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
    });
    expect(await refusal(readers.lock(aws, Bucket))).toEqual({
      name: 'ObjectLockConfigurationNotFoundError',
      message: 'Object Lock configuration does not exist for this bucket',
      status: 404,
    });
    expect(await refusal(readers.lifecycle(aws, Bucket))).toEqual({
      name: 'NoSuchLifecycleConfiguration',
      message: 'The lifecycle configuration does not exist',
      status: 404,
    });
  });

  it('come from a seed', async () => {
    await using aws = await openAws();
    const keyId = 'alias/logs';
    aws.emulator.seed.bucket({
      bucket,
      encryption: { algorithm: 'aws:kms', keyId },
      objectOwnership: 'ObjectWriter',
      objectLock: { mode: 'GOVERNANCE', days: 30 },
      lifecycle: [
        { prefix: 'daily/', expirationDays: 7 },
        { id: 'off', isEnabled: false },
      ],
      publicAccessBlock: null,
    });

    expect(await readers.encryption(aws)).toEqual({
      SSEAlgorithm: 'aws:kms',
      KMSMasterKeyID: keyId,
    });
    expect(await readers.ownership(aws)).toEqual([{ ObjectOwnership: 'ObjectWriter' }]);
    expect(await readers.lock(aws)).toEqual({
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 30 } },
    });
    expect(await readers.lifecycle(aws)).toEqual([
      {
        ID: 'rule-1',
        Filter: { Prefix: 'daily/' },
        Status: 'Enabled',
        Expiration: { Days: 7 },
      },
      { ID: 'off', Filter: { Prefix: '' }, Status: 'Disabled' },
    ]);
    expect(await refusal(readers.publicAccess(aws))).toMatchObject({
      name: 'NoSuchPublicAccessBlockConfiguration',
      status: 404,
    });
  });

  it('survive in a data directory until DELETE removes them', async () => {
    using folder = mkdtempDisposableSync(join(tmpdir(), 'emulator-'));
    await using before = await openAws({ dataDir: folder.path });
    before.emulator.seed.bucket({ bucket: 'kept' });
    const Bucket = 'kept';
    const rule: LifecycleRule = {
      ID: 'tagged & old',
      Filter: { And: { Prefix: 'a/', Tags: [{ Key: 'class', Value: 'temporary' }] } },
      Status: 'Enabled',
      Expiration: { Days: 1 },
    };
    const lock = { ObjectLockEnabled: 'Enabled' } as const;
    const { s3 } = before;
    await s3.send(
      new PutBucketEncryptionCommand({
        Bucket,
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms:dsse' } }],
        },
      }),
    );
    await s3.send(
      new PutBucketOwnershipControlsCommand({
        Bucket,
        OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerPreferred' }] },
      }),
    );
    await s3.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: lock }));
    await s3.send(
      new PutBucketLifecycleConfigurationCommand({
        Bucket,
        LifecycleConfiguration: { Rules: [rule] },
      }),
    );
    await s3.send(
      new PutPublicAccessBlockCommand({
        Bucket,
        PublicAccessBlockConfiguration: { BlockPublicAcls: true },
      }),
    );

    await before.emulator.close();
    await using aws = await openAws({ dataDir: folder.path });

    expect(await readers.encryption(aws, Bucket)).toEqual({ SSEAlgorithm: 'aws:kms:dsse' });
    expect(await readers.ownership(aws, Bucket)).toEqual([
      { ObjectOwnership: 'BucketOwnerPreferred' },
    ]);
    expect(await readers.lock(aws, Bucket)).toEqual(lock);
    expect(await readers.lifecycle(aws, Bucket)).toEqual([rule]);
    expect(await readers.publicAccess(aws, Bucket)).toMatchObject({ BlockPublicAcls: true });

    await aws.s3.send(new DeleteBucketEncryptionCommand({ Bucket }));
    await aws.s3.send(new DeleteBucketOwnershipControlsCommand({ Bucket }));
    await aws.s3.send(new DeleteBucketLifecycleCommand({ Bucket }));
    await aws.s3.send(new DeletePublicAccessBlockCommand({ Bucket }));

    expect(await readers.encryption(aws, Bucket)).toEqual({ SSEAlgorithm: 'AES256' });
    expect(await refusal(readers.ownership(aws, Bucket))).toMatchObject({
      name: 'OwnershipControlsNotFoundError',
    });
    expect(await refusal(readers.lifecycle(aws, Bucket))).toMatchObject({ status: 404 });
    expect(await refusal(readers.publicAccess(aws, Bucket))).toMatchObject({ status: 404 });
  });

  it('refuse another root and an unknown algorithm', async () => {
    await using aws = await openAws();
    const put = (SSEAlgorithm: string) =>
      aws.s3.send(
        new PutBucketEncryptionCommand({
          Bucket: bucket,
          ServerSideEncryptionConfiguration: {
            Rules: [
              { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: SSEAlgorithm as never } },
            ],
          },
        }),
      );
    const raw = await fetch(`${aws.emulator.url}/${bucket}?lifecycle`, {
      method: 'PUT',
      body: '<Other></Other>',
      headers: {
        authorization: 'AWS4-HMAC-SHA256 Credential=AK/20260301/us-east-1/s3/aws4_request,',
      },
    });

    expect(await refusal(put('rot13'))).toMatchObject({ name: 'MalformedXML', status: 400 });
    expect(raw.status).toBe(400);
  });
});
