import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketAclCommand,
  ListBucketsCommand,
  ListObjectsCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { bucket, openBench, refusal } from '../bench.ts';

type Bench = Awaited<ReturnType<typeof openBench>>;

const remove = ({ s3 }: Bench, Key: string) =>
  s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));

describe('DeleteObject', () => {
  it('removes an object, and one that is not there too', async () => {
    await using bench = await openBench();
    await bench.put('a/b');

    await remove(bench, 'a/b');
    await remove(bench, 'a/b');

    expect(await bench.keys()).toEqual([]);
  });

  it('removes the file in a data directory, and what a disk could not hold', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'emulator-'));
    await using bench = await openBench({ dataDir });
    const keys = ['a', 'a/b', 'x'.repeat(300), 'c/d', 'c'];
    for (const key of keys) await bench.put(key);

    for (const key of keys) await remove(bench, key);
    await bench.s3.send(new DeleteBucketCommand({ Bucket: bucket }));

    expect(existsSync(join(dataDir, bucket))).toBe(false);
    expect(readdirSync(join(dataDir, '.buckets'))).toEqual([]);
    rmSync(dataDir, { recursive: true });
  });
});

describe('DeleteObjects', () => {
  const removeAll = ({ s3 }: Bench, keys: string[], Quiet?: boolean) => {
    const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet };
    return s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete }));
  };

  it('removes many, whatever characters their keys have', async () => {
    await using bench = await openBench();
    const keys = ['a&b <c> "d"', ' spaces ', 'ü\u{1F40E}', "it's", 'line\nbreak'];
    for (const key of [...keys, 'kept']) await bench.put(key);

    const { Deleted } = await removeAll(bench, [...keys, 'not there']);

    expect(Deleted?.map(({ Key }) => Key)).toEqual([...keys, 'not there']);
    expect(await bench.keys()).toEqual(['kept']);
    expect((await removeAll(bench, ['kept'], true)).Deleted).toBeUndefined();
    expect(await bench.keys()).toEqual([]);
  });

  it('takes 1 to 1,000 keys', async () => {
    await using bench = await openBench();

    for (const count of [0, 1_001]) {
      const keys = Array.from({ length: count }, (_, at) => String(at));
      expect(await refusal(removeAll(bench, keys))).toMatchObject({ name: 'MalformedXML' });
    }
  });
});

describe('DeleteBucket', () => {
  it('removes an empty bucket and no other', async () => {
    await using bench = await openBench();
    const removeBucket = () => bench.s3.send(new DeleteBucketCommand({ Bucket: bucket }));
    await bench.put('a');

    const refused = await refusal(removeBucket());
    await remove(bench, 'a');
    await removeBucket();

    expect(refused).toEqual({
      name: 'BucketNotEmpty',
      message: 'The bucket you tried to delete is not empty',
      status: 409,
    });
    expect((await bench.s3.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
    expect(await refusal(removeBucket())).toMatchObject({ name: 'NoSuchBucket', status: 404 });
  });
});

it('GetBucketAcl names the owner, who may do everything', async () => {
  await using bench = await openBench();

  const acl = await bench.s3.send(new GetBucketAclCommand({ Bucket: bucket }));

  expect(acl.Owner).toEqual({ ID: '123456789012' });
  expect(acl.Grants).toEqual([
    { Grantee: { ID: '123456789012', Type: 'CanonicalUser' }, Permission: 'FULL_CONTROL' },
  ]);
});

it('ListObjects goes on after a marker, told only with a delimiter', async () => {
  await using bench = await openBench();
  for (const key of ['a', 'b/1', 'b/2', 'c']) await bench.put(key);
  const list = (input: object) =>
    bench.s3.send(new ListObjectsCommand({ Bucket: bucket, MaxKeys: 2, ...input }));

  const plain = await list({});
  const rolled = await list({ Delimiter: '/' });
  const rest = await list({ Delimiter: '/', Marker: rolled.NextMarker });

  expect(plain.Contents?.map(({ Key }) => Key)).toEqual(['a', 'b/1']);
  expect([plain.IsTruncated, plain.NextMarker]).toEqual([true, undefined]);
  expect([rolled.CommonPrefixes, rolled.NextMarker]).toEqual([[{ Prefix: 'b/' }], 'b/']);
  expect(rest.Contents?.map(({ Key }) => Key)).toEqual(['c']);
  expect(rest.IsTruncated).toBe(false);
});
