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
import { bucket, openAws, refusal } from '../aws.ts';

type Aws = Awaited<ReturnType<typeof openAws>>;

const remove = ({ s3 }: Aws, Key: string) =>
  s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));

describe('DeleteObject', () => {
  it('removes an object, and succeeds for an unknown one', async () => {
    await using aws = await openAws();
    await aws.put('a/b');

    await remove(aws, 'a/b');
    await remove(aws, 'a/b');

    expect(await aws.keys()).toEqual([]);
  });

  it('removes the file in a data directory, and an object that is kept in memory', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'emulator-'));
    await using aws = await openAws({ dataDir });
    const keys = ['a', 'a/b', 'x'.repeat(300), 'c/d', 'c'];
    for (const key of keys) await aws.put(key);

    for (const key of keys) await remove(aws, key);
    await aws.s3.send(new DeleteBucketCommand({ Bucket: bucket }));

    expect(existsSync(join(dataDir, bucket))).toBe(false);
    expect(readdirSync(join(dataDir, '.buckets'))).toEqual([]);
    rmSync(dataDir, { recursive: true });
  });
});

describe('DeleteObjects', () => {
  const removeAll = ({ s3 }: Aws, keys: string[], Quiet?: boolean) => {
    const Delete = { Objects: keys.map((Key) => ({ Key })), Quiet };
    return s3.send(new DeleteObjectsCommand({ Bucket: bucket, Delete }));
  };

  it('removes many objects, with any characters in their keys', async () => {
    await using aws = await openAws();
    const keys = ['a&b <c> "d"', ' spaces ', 'ü\u{1F40E}', "it's", 'line\nbreak'];
    for (const key of [...keys, 'kept']) await aws.put(key);

    const { Deleted } = await removeAll(aws, [...keys, 'not there']);

    expect(Deleted?.map(({ Key }) => Key)).toEqual([...keys, 'not there']);
    expect(await aws.keys()).toEqual(['kept']);
    expect((await removeAll(aws, ['kept'], true)).Deleted).toBeUndefined();
    expect(await aws.keys()).toEqual([]);
  });

  it('needs the permission for each key, and says which one lacks it', async () => {
    await using aws = await openAws();
    for (const key of ['kept/a', 'own/b', 'own/c']) await aws.put(key);
    const keys = await aws.assume({
      RoleArn: 'arn:aws:iam::123456789012:role/cleaner',
      Policy: JSON.stringify({
        Statement: {
          Effect: 'Allow',
          Action: 's3:DeleteObject',
          Resource: `arn:aws:s3:::${bucket}/own/*`,
        },
      }),
    });
    const role = { ...aws, s3: aws.s3For(keys) };

    const some = await removeAll(role, ['kept/a', 'own/b']);
    const quiet = await removeAll(role, ['kept/a', 'own/c'], true);

    expect(some.Deleted).toEqual([{ Key: 'own/b' }]);
    for (const { Errors } of [some, quiet]) {
      expect(Errors).toMatchObject([{ Key: 'kept/a', Code: 'AccessDenied' }]);
      expect(Errors?.[0]?.Message).toContain(`"arn:aws:s3:::${bucket}/kept/a"`);
    }
    expect(quiet.Deleted).toBeUndefined();
    expect(await aws.keys()).toEqual(['kept/a']);
    expect(aws.emulator.journal.entries().at(-2)?.effect).toMatchObject({ keys: ['own/c'] });
  });

  it('accepts 1 to 1,000 keys', async () => {
    await using aws = await openAws();

    for (const count of [0, 1_001]) {
      const keys = Array.from({ length: count }, (_, at) => String(at));
      expect(await refusal(removeAll(aws, keys))).toMatchObject({ name: 'MalformedXML' });
    }
  });
});

describe('DeleteBucket', () => {
  it('removes an empty bucket and rejects others', async () => {
    await using aws = await openAws();
    const removeBucket = () => aws.s3.send(new DeleteBucketCommand({ Bucket: bucket }));
    await aws.put('a');

    const refused = await refusal(removeBucket());
    await remove(aws, 'a');
    await removeBucket();

    expect(refused).toEqual({
      name: 'BucketNotEmpty',
      message: 'The bucket you tried to delete is not empty',
      status: 409,
    });
    expect((await aws.s3.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([]);
    expect(await refusal(removeBucket())).toMatchObject({ name: 'NoSuchBucket', status: 404 });
  });
});

it('GetBucketAcl returns full control for the owner', async () => {
  await using aws = await openAws();

  const acl = await aws.s3.send(new GetBucketAclCommand({ Bucket: bucket }));

  expect(acl.Owner).toEqual({ ID: '123456789012' });
  expect(acl.Grants).toEqual([
    { Grantee: { ID: '123456789012', Type: 'CanonicalUser' }, Permission: 'FULL_CONTROL' },
  ]);
});

it('ListObjects pages by a marker, which it returns only with a delimiter', async () => {
  await using aws = await openAws();
  for (const key of ['a', 'b/1', 'b/2', 'c']) await aws.put(key);
  const list = (input: object) =>
    aws.s3.send(new ListObjectsCommand({ Bucket: bucket, MaxKeys: 2, ...input }));

  const plain = await list({});
  const rolled = await list({ Delimiter: '/' });
  const rest = await list({ Delimiter: '/', Marker: rolled.NextMarker });

  expect(plain.Contents?.map(({ Key }) => Key)).toEqual(['a', 'b/1']);
  expect([plain.IsTruncated, plain.NextMarker]).toEqual([true, undefined]);
  expect([rolled.CommonPrefixes, rolled.NextMarker]).toEqual([[{ Prefix: 'b/' }], 'b/']);
  expect(rest.Contents?.map(({ Key }) => Key)).toEqual(['c']);
  expect(rest.IsTruncated).toBe(false);
});
