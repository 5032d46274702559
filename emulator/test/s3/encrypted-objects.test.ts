import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { bucket, refusal } from '../aws.ts';
import { account, openEncrypted } from '../encrypted-bucket.ts';

describe('an object with a key', () => {
  const Key = 'aws-logs-write-test';
  const read = (s3: S3Client) => s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
  const head = (s3: S3Client, ChecksumMode?: 'ENABLED') =>
    s3.send(new HeadObjectCommand({ Bucket: bucket, Key, ChecksumMode }));
  const write = (s3: S3Client) =>
    s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: 'x' }));
  const md5 = '"9dd4e461268c8034f5c8564e155c67a6"';

  it('shows the key, and a tag that is not its MD5', async () => {
    await using aws = await openEncrypted();
    await aws.create();

    const shown = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: aws.keyArn };
    expect(await head(aws.s3)).toMatchObject(shown);
    const { ETag, ...written } = await write(aws.s3);
    expect(written).toMatchObject(shown);
    expect(ETag).not.toBe(md5);
    aws.emulator.seed.bucket({ bucket });
    expect(await write(aws.s3)).toMatchObject({ ServerSideEncryption: 'AES256', ETag: md5 });
  });

  it('has the encryption of its request', async () => {
    await using aws = await openEncrypted();
    const put = (changes: Partial<PutObjectCommandInput>) =>
      aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: 'x', ...changes }));
    const none = aws.keyArn.slice(0, -4).concat('0000');

    expect(await put({ ServerSideEncryption: 'AES256' })).toMatchObject({ ETag: md5 });
    const written = put({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: none });
    expect(await refusal(written)).toEqual({
      name: 'KMS.NotFoundException',
      message: `Key '${none}' does not exist`,
      status: 400,
    });
  });

  it('lets roles that may use the key read and write', async () => {
    const roleArn = `arn:aws:iam::${account}:role/looker`;
    await using aws = await openEncrypted();
    await aws.create();
    const s3 = aws.s3For(await aws.assume({ RoleArn: roleArn }));
    const allowed = [await refusal(read(s3)), await refusal(write(s3))];
    aws.emulator.options.change({ deniedActions: { [roleArn]: ['kms:*'] } });

    const denied = await refusal(read(s3));

    expect(allowed).toEqual([undefined, undefined]);
    expect(denied).toEqual({
      name: 'AccessDenied',
      message: `User: arn:aws:sts::${account}:assumed-role/looker/test is not authorized to perform: kms:Decrypt on resource: ${aws.keyArn} because no identity-based policy allows the kms:Decrypt action`,
      status: 403,
    });
    expect((await refusal(write(s3)))?.message).toContain('kms:GenerateDataKey');
    expect(await refusal(head(s3))).toBeUndefined();
    expect(await refusal(head(s3, 'ENABLED'))).toMatchObject({ status: 403 });
  });

  it('refuses to be read with a disabled key', async () => {
    await using aws = await openEncrypted();
    await aws.create();
    aws.emulator.seed.key({ keyId: aws.keyArn.split('/')[1] ?? '', state: 'Disabled' });

    expect(await refusal(read(aws.s3))).toMatchObject({
      name: 'KMS.DisabledException',
      status: 400,
    });
  });
});
