import { Readable } from 'node:stream';
import { HeadObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { bucket, openAws, refusal, startAt } from '../aws.ts';

describe('objects', () => {
  it('are returned with size, tag and time', async () => {
    await using aws = await openAws();
    await aws.put('a b/ü+&.txt', 'hello');

    const object = await aws.get('a b/ü+&.txt');
    const head = await aws.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'a b/ü+&.txt' }));

    const about = {
      ContentLength: 5,
      ETag: '"5d41402abc4b2a76b9719d911017c592"',
      LastModified: new Date(startAt),
    };
    expect(object).toMatchObject({ ...about, text: 'hello' });
    expect(head).toMatchObject(about);
  });

  it('have the same whole second in a listing and in an answer of their own', async () => {
    await using aws = await openAws({ startAt: startAt + 1_999 });
    await aws.put('key');

    const { Contents } = await aws.s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    const { LastModified } = await aws.get('key');

    expect(Contents).toMatchObject([{ LastModified }]);
    expect(LastModified).toEqual(new Date(startAt + 1_000));
  });

  it('are returned in ranges of bytes', async () => {
    await using aws = await openAws();
    await aws.put('key', '0123456789');

    expect(await aws.get('key', 'bytes=2-4')).toMatchObject({
      text: '234',
      ContentRange: 'bytes 2-4/10',
      ContentLength: 3,
    });
    expect(await aws.get('key', 'bytes=7-')).toMatchObject({ text: '789' });
    expect(await aws.get('key', 'bytes=-2')).toMatchObject({ text: '89' });
    expect(await aws.get('key', 'bytes=8-99')).toMatchObject({ text: '89' });
    expect(await aws.get('key', 'lines=1')).toMatchObject({ text: '0123456789' });
    expect(await refusal(aws.get('key', 'bytes=10-'))).toMatchObject({ name: 'InvalidRange' });
  });

  it('that do not exist are answered with 404', async () => {
    await using aws = await openAws();

    expect(await refusal(aws.get('none'))).toEqual({
      name: 'NoSuchKey',
      message: 'The specified key does not exist.',
      status: 404,
    });
    expect(
      await refusal(aws.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'none' }))),
    ).toMatchObject({ name: 'NotFound', status: 404 });
  });

  it('with a key of more than 1,024 bytes are rejected', async () => {
    await using aws = await openAws();

    expect(await refusal(aws.put('k'.repeat(1024)))).toBeUndefined();
    expect(await refusal(aws.put('k'.repeat(1025)))).toMatchObject({ name: 'KeyTooLongError' });
  });

  it('are read from signed chunks, as the AWS CLI sends them', async () => {
    await using aws = await openAws();
    const response = await fetch(`${aws.emulator.url}/${bucket}/chunked`, {
      method: 'PUT',
      headers: {
        authorization:
          'AWS4-HMAC-SHA256 Credential=AK/20260301/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0',
        'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        'content-encoding': 'aws-chunked',
        'x-amz-trailer': 'x-amz-checksum-crc32',
      },
      body: '5\r\nhello\r\n3;chunk-signature=0\r\n cl\r\n1\r\ni\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n',
    });

    expect(response.status).toBe(200);
    expect((await aws.get('chunked')).text).toBe('hello cli');
  });

  it('are served to presigned URLs, and not without a signature', async () => {
    await using aws = await openAws();
    await aws.put('key');
    const url = `${aws.emulator.url}/${bucket}/key`;
    const scope = encodeURIComponent('AK/20260301/us-east-1/s3/aws4_request');

    const presigned = await fetch(`${url}?X-Amz-Credential=${scope}&X-Amz-Signature=0`);
    const unsigned = await fetch(url);

    expect(await presigned.text()).toBe('body');
    expect(unsigned.status).toBe(403);
    expect(await unsigned.text()).toContain('<Code>AccessDenied</Code>');
  });
});

describe('presigned URLs of signature version 2, as boto3 makes them', () => {
  const presign = (url: string, key: string, token = '') =>
    `${url}/far/key?AWSAccessKeyId=${key}&Signature=0%3D&Expires=1795781962${token}`;

  it('read and write objects in every Region', async () => {
    await using aws = await openAws();
    aws.emulator.seed.bucket({ bucket: 'far', region: 'eu-west-1' });
    const url = presign(aws.emulator.url, 'AK');

    const written = await fetch(url, { method: 'PUT', body: 'hello' });
    const read = await fetch(url);

    expect(written.status).toBe(200);
    expect(await read.text()).toBe('hello');
    expect(aws.emulator.journal.entries().at(-1)).toMatchObject({
      operation: 'GetObject',
      accessKeyId: 'AK',
      region: undefined,
    });
  });

  it('have the headers of an upload in their query', async () => {
    await using aws = await openAws();
    const url = `${presign(aws.emulator.url, 'AK').replace('/far/', `/${bucket}/`)}&content-type=text%2Fplain`;

    const written = await fetch(url, { method: 'PUT', body: 'hello' });

    expect(written.status).toBe(200);
    expect((await aws.get('key')).text).toBe('hello');
  });

  it('of a session need its token', async () => {
    await using aws = await openAws();
    aws.emulator.seed.bucket({ bucket: 'far', region: 'eu-west-1' });
    const keys = await aws.assume({ RoleArn: 'arn:aws:iam::123456789012:role/reader' });
    const token = encodeURIComponent(keys.sessionToken ?? '');
    const url = (given: string) =>
      presign(aws.emulator.url, keys.accessKeyId, `&x-amz-security-token=${given}`);

    expect((await fetch(url(token))).status).toBe(404);
    expect((await fetch(url('another'))).status).toBe(400);
  });
});

describe('PutObject with If-None-Match', () => {
  const write = (aws: Awaited<ReturnType<typeof openAws>>, Body: string, IfNoneMatch = '*') =>
    aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'once', Body, IfNoneMatch }));

  it('writes a new key, and keeps the object of a key that exists', async () => {
    await using aws = await openAws();

    await write(aws, 'first');
    const refused = await refusal(write(aws, 'second'));

    expect(refused).toEqual({
      name: 'PreconditionFailed',
      message: 'At least one of the pre-conditions you specified did not hold',
      status: 412,
    });
    expect((await aws.get('once')).text).toBe('first');
  });

  it('accepts only *', async () => {
    await using aws = await openAws();

    expect(await refusal(write(aws, 'x', '"5d41402abc4b2a76b9719d911017c592"'))).toMatchObject({
      name: 'NotImplemented',
      status: 501,
    });
  });
});

describe('checksums', () => {
  const look = async (aws: Awaited<ReturnType<typeof openAws>>, Key: string) =>
    aws.s3.send(new HeadObjectCommand({ Bucket: bucket, Key, ChecksumMode: 'ENABLED' }));

  // The check values of the algorithms, and digests of a standard tool.
  it.each([
    ['CRC32', '123456789', 'y/Q5Jg=='],
    ['CRC32C', '123456789', '4waSgw=='],
    ['CRC64NVME', '123456789', 'rosUhgp5mIg='],
    ['SHA1', 'abc', 'qZk+NkcGgWq6PiVxeFDCbJzQ2J0='],
    ['SHA256', 'abc', 'ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='],
  ] as const)('of %s have the value of the standard', async (algorithm, Body, expected) => {
    await using aws = await openAws();
    const put = new PutObjectCommand({
      Bucket: bucket,
      Key: 'key',
      Body,
      ChecksumAlgorithm: algorithm,
    });

    const written = await aws.s3.send(put);
    const head = await look(aws, 'key');

    const shown = { [`Checksum${algorithm}`]: expected, ChecksumType: 'FULL_OBJECT' };
    expect(written).toMatchObject(shown);
    expect(head).toMatchObject(shown);
    const { Contents } = await aws.s3.send(new ListObjectsV2Command({ Bucket: bucket }));
    expect(Contents).toMatchObject([
      { ChecksumAlgorithm: [algorithm], ChecksumType: 'FULL_OBJECT' },
    ]);
  });

  it('of exported objects are CRC64NVME, in answers that were asked for them', async () => {
    await using aws = await openAws();
    await aws.create();
    const Key = 'aws-logs-write-test';

    const plain = await aws.s3.send(new HeadObjectCommand({ Bucket: bucket, Key }));

    expect((await look(aws, Key)).ChecksumCRC64NVME).toMatch(/^[\w+/]{11}=$/);
    expect(plain.ChecksumCRC64NVME).toBeUndefined();
    expect((await aws.get(Key, 'bytes=0-3')).ChecksumCRC64NVME).toBeUndefined();
  });
});

it('an object is stored without the encoding of its transfer', async () => {
  await using aws = await openAws();
  const Body = Readable.from([Buffer.from('hello')]);
  const put = new PutObjectCommand({
    Bucket: bucket,
    Key: 'key',
    Body,
    ContentLength: 5,
    ContentEncoding: 'gzip',
  });
  await aws.s3.send(put);

  expect(await aws.get('key')).toMatchObject({ text: 'hello', ContentEncoding: 'gzip' });
});

it('an object keeps its content type, its encoding and its metadata', async () => {
  await using aws = await openAws();
  const about = {
    ContentType: 'application/json',
    ContentEncoding: 'identity',
    Metadata: { origin: 'here' },
  };
  await aws.s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: '{}', ...about }));

  expect(await aws.get('key')).toMatchObject(about);
});
