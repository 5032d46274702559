import {
  CopyObjectCommand,
  DeleteBucketInventoryConfigurationCommand,
  DeleteObjectsCommand,
  GetBucketMetricsConfigurationCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutBucketMetricsConfigurationCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { bucket, openAws, refusal } from '../aws.ts';

const notImplemented = { name: 'NotImplemented', status: 501 };

it('a copy is refused, and changes no object', async () => {
  await using aws = await openAws();
  await aws.put('source', 'from');
  await aws.put('target', 'kept');
  const copy = new CopyObjectCommand({
    Bucket: bucket,
    Key: 'target',
    CopySource: `${bucket}/source`,
  });

  expect(await refusal(aws.s3.send(copy))).toMatchObject(notImplemented);
  expect((await aws.get('target')).text).toBe('kept');
});

it('a copy by a presigned URL is refused, and changes no object', async () => {
  await using aws = await openAws();
  await aws.put('target', 'kept');
  const scope = encodeURIComponent('AK/20260301/us-east-1/s3/aws4_request');
  const query = `X-Amz-Credential=${scope}&X-Amz-Signature=0&x-amz-copy-source=a%2Fb`;

  const { status } = await fetch(`${aws.emulator.url}/${bucket}/target?${query}`, {
    method: 'PUT',
  });

  expect(status).toBe(501);
  expect((await aws.get('target')).text).toBe('kept');
});

it('a deletion of objects with conditions or versions is refused, and deletes nothing', async () => {
  await using aws = await openAws();
  await aws.put('key', 'kept');
  const remove = (condition: object) =>
    refusal(
      aws.s3.send(
        new DeleteObjectsCommand({
          Bucket: bucket,
          Delete: { Objects: [{ Key: 'key', ...condition }] },
        }),
      ),
    );

  expect(await remove({ ETag: 'another' })).toMatchObject(notImplemented);
  expect(await remove({ VersionId: 'v1' })).toMatchObject(notImplemented);
  expect((await aws.get('key')).text).toBe('kept');
});

it.each<[string, (s3: S3Client) => Promise<unknown>]>([
  [
    'an inventory is removed',
    (s3) => s3.send(new DeleteBucketInventoryConfigurationCommand({ Bucket: bucket, Id: 'all' })),
  ],
  [
    'metrics are shown',
    (s3) => s3.send(new GetBucketMetricsConfigurationCommand({ Bucket: bucket, Id: 'all' })),
  ],
  [
    'metrics are set',
    (s3) =>
      s3.send(
        new PutBucketMetricsConfigurationCommand({
          Bucket: bucket,
          Id: 'all',
          MetricsConfiguration: { Id: 'all' },
        }),
      ),
  ],
  [
    'a version is read',
    (s3) => s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'key', VersionId: 'v1' })),
  ],
])('another subresource is refused when %s', async (_, send) => {
  await using aws = await openAws();

  expect(await refusal(send(aws.s3))).toMatchObject(notImplemented);
  expect(await refusal(aws.s3.send(new HeadBucketCommand({ Bucket: bucket })))).toBeUndefined();
});

it('parameters of SDKs and of presigned URLs name no subresource', async () => {
  await using aws = await openAws();
  await aws.put('key');
  const s3 = aws.s3For();
  s3.middlewareStack.add(
    (next) => (args) => {
      Object.assign((args.request as { query: object }).query, {
        'response-content-type': 'text/plain',
        'x-amz-request-payer': 'requester',
        partNumber: '1',
        versionId: 'null',
        'x-request-tag': 'a',
      });
      return next(args);
    },
    { step: 'build' },
  );

  const head = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'key' }));

  expect(head.ContentLength).toBe(4);
});
