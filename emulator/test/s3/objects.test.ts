import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { bucket, openBench, refusal, startAt } from '../bench.ts';

describe('objects', () => {
  it('come back with size, tag and time', async () => {
    await using bench = await openBench();
    await bench.put('a b/ü+&.txt', 'hello');

    const object = await bench.get('a b/ü+&.txt');
    const head = await bench.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'a b/ü+&.txt' }));

    const about = {
      ContentLength: 5,
      ETag: '"5d41402abc4b2a76b9719d911017c592"',
      LastModified: new Date(startAt),
    };
    expect(object).toMatchObject({ ...about, text: 'hello' });
    expect(head).toMatchObject(about);
  });

  it('come in parts', async () => {
    await using bench = await openBench();
    await bench.put('key', '0123456789');

    expect(await bench.get('key', 'bytes=2-4')).toMatchObject({
      text: '234',
      ContentRange: 'bytes 2-4/10',
      ContentLength: 3,
    });
    expect(await bench.get('key', 'bytes=7-')).toMatchObject({ text: '789' });
    expect(await bench.get('key', 'bytes=-2')).toMatchObject({ text: '89' });
    expect(await bench.get('key', 'bytes=8-99')).toMatchObject({ text: '89' });
    expect(await bench.get('key', 'lines=1')).toMatchObject({ text: '0123456789' });
    expect(await refusal(bench.get('key', 'bytes=10-'))).toMatchObject({ name: 'InvalidRange' });
  });

  it('that do not exist are 404', async () => {
    await using bench = await openBench();

    expect(await refusal(bench.get('none'))).toEqual({
      name: 'NoSuchKey',
      message: 'The specified key does not exist.',
      status: 404,
    });
    expect(
      await refusal(bench.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'none' }))),
    ).toMatchObject({ name: 'NotFound', status: 404 });
  });

  it('have keys of at most 1,024 bytes', async () => {
    await using bench = await openBench();

    expect(await refusal(bench.put('k'.repeat(1024)))).toBeUndefined();
    expect(await refusal(bench.put('k'.repeat(1025)))).toMatchObject({ name: 'KeyTooLongError' });
  });

  it('are unwrapped from signed chunks, as the AWS CLI sends them', async () => {
    await using bench = await openBench();
    const response = await fetch(`${bench.emulator.url}/${bucket}/chunked`, {
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
    expect((await bench.get('chunked')).text).toBe('hello cli');
  });

  it('are served to presigned URLs and to nobody without a signature', async () => {
    await using bench = await openBench();
    await bench.put('key');
    const url = `${bench.emulator.url}/${bucket}/key`;
    const scope = encodeURIComponent('AK/20260301/us-east-1/s3/aws4_request');

    const presigned = await fetch(`${url}?X-Amz-Credential=${scope}&X-Amz-Signature=0`);
    const unsigned = await fetch(url);

    expect(await presigned.text()).toBe('body');
    expect(unsigned.status).toBe(403);
    expect(await unsigned.text()).toContain('<Code>AccessDenied</Code>');
  });
});
