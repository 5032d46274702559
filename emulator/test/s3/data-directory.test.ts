import { linkSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketLocationCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { openEmulator } from '../../src/emulator.ts';
import { bucket, openAws, refusal, startAt } from '../aws.ts';
import { filesIn, look, makeDirectory } from './data-directories.ts';

describe('in a data directory', () => {
  it('objects are files under their keys, and outlive the emulator with bucket and policy', async () => {
    const dataDir = join(makeDirectory(), 'data');
    await using before = await openAws({ dataDir });
    before.emulator.seed.bucket({ bucket: 'closed', region: 'eu-west-1', policy: null });
    const taskId = await before.create({ destinationPrefix: 'daily' });
    await before.put('notes.txt', 'kept');

    await before.emulator.close();
    const files = filesIn(join(dataDir, bucket));
    await using after = await openEmulator({ dataDir });
    await using aws = { ...(await openAws({ dataDir })) };

    expect(files).toEqual(['daily/aws-logs-write-test', 'notes.txt']);
    expect(readFileSync(join(dataDir, bucket, 'notes.txt'), 'utf8')).toBe('kept');
    expect(after.exportTasks()).toEqual([]);
    expect(await aws.describe(taskId)).toBeUndefined();
    expect(await aws.keys()).toEqual(files);
    expect((await aws.get('notes.txt')).text).toBe('kept');
    const { LocationConstraint } = await aws.s3.send(
      new GetBucketLocationCommand({ Bucket: 'closed' }),
    );
    expect(LocationConstraint).toBe('eu-west-1');
    expect(await refusal(aws.create({ destination: 'closed' }))).toBeDefined();
    expect(await refusal(aws.create())).toBeUndefined();
  });

  it('an object is after a restart what it was before', async () => {
    const dataDir = makeDirectory();
    await using before = await openAws({ dataDir, startAt: startAt + 61_500 });
    await before.create({ destinationPrefix: 'daily' });
    const about = {
      ContentType: 'application/json',
      ContentEncoding: 'identity',
      CacheControl: 'no-store',
      Metadata: { origin: 'here' },
      ChecksumAlgorithm: 'SHA256',
      ServerSideEncryption: 'aws:kms',
    } as const;
    const put = { Bucket: bucket, Key: 'a/b c.json', Body: '{}', ...about };
    await before.s3.send(new PutObjectCommand(put));
    const seen = await look(before);

    await before.emulator.close();
    await using after = await openAws({ dataDir });

    const { ChecksumAlgorithm: _, ...shown } = about;
    expect(seen.heads[0]).toMatchObject({ ...shown, ChecksumSHA256: expect.any(String) });
    expect(await look(after)).toEqual(seen);
  });

  it('an object needs its KMS key again after a restart', async () => {
    const dataDir = makeDirectory();
    const keyId = '0c6f4e1a-8d29-4b7a-9e35-1f2d3c4b5a69';
    await using before = await openAws({ dataDir });
    const SSEKMSKeyId = before.emulator.seed.key({ keyId });
    const encryption = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId } as const;
    await before.s3.send(
      new PutObjectCommand({ Bucket: bucket, Key: 'key', Body: 'body', ...encryption }),
    );
    await before.emulator.close();
    await using after = await openAws({ dataDir });

    const refused = await refusal(after.get('key'));
    after.emulator.seed.key({ keyId });

    expect(refused).toMatchObject({ name: 'KMS.NotFoundException' });
    expect(await after.get('key')).toMatchObject({ text: 'body', ...encryption });
  });

  it('objects and buckets that are deleted leave no file', async () => {
    const dataDir = makeDirectory();
    await using aws = await openAws({ dataDir });
    aws.emulator.seed.bucket({ bucket: 'other' });
    const before = filesIn(dataDir);
    for (const key of ['a/b', 'a']) await aws.put(key);

    for (const Key of ['a/b', 'a'])
      await aws.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key }));
    const afterObject = filesIn(dataDir);
    await aws.s3.send(new DeleteBucketCommand({ Bucket: bucket }));

    expect(afterObject).toEqual(before);
    expect(filesIn(dataDir)).toEqual(['.buckets/other.json']);
  });

  it.each([
    '../up',
    '/absolute',
    'a/../../up',
    './here',
    'a//b',
    'slash/',
    'nul\0',
    '50%',
    '%2E',
    'a\\b',
  ])('the key %j stays inside the directory and is unchanged after a restart', async (key) => {
    const parent = makeDirectory();
    const dataDir = join(parent, 'data');
    await using before = await openAws({ dataDir, activeTaskLimit: Infinity });

    await before.create({ destinationPrefix: key });
    await before.emulator.close();
    await using after = await openAws({ dataDir });

    const object = await after.emulator.seed;
    expect(object).toBeDefined();
    const outside = filesIn(parent).filter((file) => !file.startsWith('data/'));
    expect(outside).toEqual([]);
    expect(filesIn(join(dataDir, bucket))).toHaveLength(1);
    const { Contents } = await after.s3.send(
      new ListObjectsV2Command({ Bucket: bucket, EncodingType: 'url' }),
    );
    const keys = Contents?.map(({ Key = '' }) => decodeURIComponent(Key.replaceAll('+', ' ')));
    expect(keys).toEqual([`${key}/aws-logs-write-test`]);
  });

  it('an object is kept aside when its key is both file and folder, or too long', async () => {
    const dataDir = makeDirectory();
    await using before = await openAws({ dataDir });
    const keys = ['a', 'a/b', 'x'.repeat(300), 'c/d', 'c'];

    for (const key of keys) await before.put(key, `body of ${key}`);
    const seen = await look(before);
    await before.emulator.close();
    await using after = await openAws({ dataDir });

    for (const key of keys) expect((await after.get(key)).text).toBe(`body of ${key}`);
    expect(await look(after)).toEqual(seen);
    expect(filesIn(join(dataDir, bucket))).toEqual(['a', 'c/d']);
  });

  it('an object that was kept aside is a file when it is written again and can be one', async () => {
    const dataDir = makeDirectory();
    await using before = await openAws({ dataDir });
    await before.put('a/b');
    await before.put('a', 'aside');

    await before.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'a/b' }));
    await before.put('a', 'a file');
    await before.emulator.close();
    await using after = await openAws({ dataDir });

    expect((await after.get('a')).text).toBe('a file');
    expect(readFileSync(join(dataDir, bucket, 'a'), 'utf8')).toBe('a file');
  });

  it('a key is a file when no other key needs its folder any more', async () => {
    const dataDir = makeDirectory();
    await using before = await openAws({ dataDir });
    for (const key of ['logs/2026/a', 'logs/2026/b', 'keep']) await before.put(key);
    for (const key of ['logs/2026/a', 'logs/2026/b']) {
      await before.s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
    }

    await before.put('logs');
    await before.emulator.close();
    await using after = await openAws({ dataDir });

    expect(await after.keys()).toEqual(['keep', 'logs']);
  });

  it('a file is replaced when its bytes are complete', async () => {
    const dataDir = makeDirectory();
    await using aws = await openAws({ dataDir });
    await aws.put('key', 'the first body');
    const replaced = filesIn(dataDir).map((file) => join(dataDir, file));
    const links = makeDirectory();
    replaced.forEach((file, number) => void linkSync(file, join(links, String(number))));
    const contents = () =>
      replaced.map((_, number) => readFileSync(join(links, String(number)), 'utf8'));
    const before = contents();

    aws.emulator.seed.bucket({ bucket, policy: null });
    await aws.put('key', 'the other body');

    expect(contents()).toEqual(before);
    expect(readFileSync(join(dataDir, bucket, 'key'), 'utf8')).toBe('the other body');
    expect(filesIn(dataDir).map((file) => join(dataDir, file))).toEqual(replaced);
  });

  it('a bucket name that leaves the directory is rejected', async () => {
    await using aws = await openAws({ dataDir: makeDirectory() });
    const { seed } = aws.emulator;

    for (const name of ['..', '../x', '/etc', 'A', '.buckets']) {
      expect(() => seed.bucket({ bucket: name })).toThrow('is invalid');
    }
  });
});
