import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  GetBucketLocationCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEmulator } from '#emulator/emulator.ts';
import { bucket, openBench, refusal, sendRaw, startAt } from './bench.ts';

type Bench = Awaited<ReturnType<typeof openBench>>;

const put = ({ s3 }: Bench, Key: string, Body = 'body') =>
  s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));

async function get({ s3 }: Bench, Key: string, Range?: string) {
  const answer = await s3.send(new GetObjectCommand({ Bucket: bucket, Key, Range }));
  return { ...answer, text: await answer.Body?.transformToString() };
}

describe('buckets', () => {
  const create = (bench: Bench, Bucket: string, region?: string, constraint?: string) =>
    bench.s3For(undefined, region).send(
      new CreateBucketCommand({
        Bucket,
        ...(constraint && {
          CreateBucketConfiguration: { LocationConstraint: constraint as BucketLocationConstraint },
        }),
      }),
    );

  it('lie in us-east-1 without a constraint, else where it says', async () => {
    await using bench = await openBench();
    await create(bench, 'near');
    await create(bench, 'far', 'eu-west-1', 'EU');

    const look = async (Bucket: string) => {
      const location = await bench.s3.send(new GetBucketLocationCommand({ Bucket }));
      const head = await bench.s3.send(new HeadBucketCommand({ Bucket }));
      return [location.LocationConstraint, head.BucketRegion, head.BucketArn];
    };

    expect(await look('near')).toEqual([undefined, 'us-east-1', 'arn:aws:s3:::near']);
    expect(await look('far')).toEqual(['eu-west-1', 'eu-west-1', 'arn:aws:s3:::far']);
  });

  it('are listed to their owner', async () => {
    await using bench = await openBench();
    bench.emulator.seed.bucket({ bucket: 'another' });
    bench.emulator.seed.bucket({ bucket: 'somebody-elses', accountId: '111122223333' });

    const { Buckets } = await bench.s3.send(new ListBucketsCommand({}));

    expect(Buckets).toEqual([
      { Name: 'another', CreationDate: new Date(startAt) },
      { Name: bucket, CreationDate: new Date(startAt) },
    ]);
  });

  it('are made once, by name and in the Region spoken to', async () => {
    await using bench = await openBench();
    bench.emulator.seed.bucket({ bucket: 'somebody-elses', accountId: '111122223333' });
    await create(bench, 'mine', 'eu-west-1', 'eu-west-1');

    const codeOf = async (call: Promise<unknown>) => (await refusal(call))?.name;

    expect(await codeOf(create(bench, bucket))).toBeUndefined();
    expect(await codeOf(create(bench, 'mine', 'eu-west-1', 'eu-west-1'))).toBe(
      'BucketAlreadyOwnedByYou',
    );
    expect(await codeOf(create(bench, 'somebody-elses'))).toBe('BucketAlreadyExists');
    expect(await codeOf(create(bench, 'no', 'eu-west-1'))).toBe('InvalidBucketName');
    expect(await codeOf(create(bench, 'lost', 'eu-west-1', 'eu-west-2'))).toBe(
      'IllegalLocationConstraintException',
    );
  });

  it('need a constraint outside us-east-1, which the SDK adds by itself', async () => {
    await using bench = await openBench();
    const authorization = 'AWS4-HMAC-SHA256 Credential=AK/20260301/eu-west-1/s3/aws4_request,';

    const url = `${bench.emulator.url}/lost`;
    const response = await fetch(url, { method: 'PUT', headers: { authorization } });

    expect(response.status).toBe(400);
    expect(await response.text()).toContain('The unspecified location constraint is incompatible');
  });

  it('keep a policy as it was put', async () => {
    await using bench = await openBench();
    bench.emulator.seed.bucket({ bucket: 'closed', policy: null });
    const Policy = '{ "Statement": [] }';
    const look = () => bench.s3.send(new GetBucketPolicyCommand({ Bucket: 'closed' }));

    expect(await refusal(look())).toEqual({
      name: 'NoSuchBucketPolicy',
      message: 'The bucket policy does not exist',
      status: 404,
    });
    await bench.s3.send(new PutBucketPolicyCommand({ Bucket: 'closed', Policy }));
    expect((await look()).Policy).toBe(Policy);
    const bad = new PutBucketPolicyCommand({ Bucket: 'closed', Policy: '{"Statement":["no"]}' });
    expect(await refusal(bench.s3.send(bad))).toMatchObject({ name: 'MalformedPolicy' });
  });

  it('that do not exist are 404', async () => {
    await using bench = await openBench();
    const list = new ListObjectsV2Command({ Bucket: 'none' });

    expect(await refusal(bench.s3.send(list))).toMatchObject({ name: 'NoSuchBucket', status: 404 });
    expect(await refusal(bench.s3.send(new HeadBucketCommand({ Bucket: 'none' })))).toMatchObject({
      name: 'NotFound',
      status: 404,
    });
  });
});

describe('objects', () => {
  it('come back with size, tag and time', async () => {
    await using bench = await openBench();
    await put(bench, 'a b/ü+&.txt', 'hello');

    const object = await get(bench, 'a b/ü+&.txt');
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
    await put(bench, 'key', '0123456789');

    expect(await get(bench, 'key', 'bytes=2-4')).toMatchObject({
      text: '234',
      ContentRange: 'bytes 2-4/10',
      ContentLength: 3,
    });
    expect(await get(bench, 'key', 'bytes=7-')).toMatchObject({ text: '789' });
    expect(await get(bench, 'key', 'bytes=-2')).toMatchObject({ text: '89' });
    expect(await get(bench, 'key', 'bytes=8-99')).toMatchObject({ text: '89' });
    expect(await get(bench, 'key', 'lines=1')).toMatchObject({ text: '0123456789' });
    expect(await refusal(get(bench, 'key', 'bytes=10-'))).toMatchObject({ name: 'InvalidRange' });
  });

  it('that do not exist are 404', async () => {
    await using bench = await openBench();

    expect(await refusal(get(bench, 'none'))).toEqual({
      name: 'NoSuchKey',
      message: 'The specified key does not exist.',
      status: 404,
    });
    expect(
      await refusal(bench.s3.send(new HeadObjectCommand({ Bucket: bucket, Key: 'none' }))),
    ).toMatchObject({ name: 'NotFound', status: 404 });
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
    expect((await get(bench, 'chunked')).text).toBe('hello cli');
  });

  it('are served to presigned URLs and to nobody without a signature', async () => {
    await using bench = await openBench();
    await put(bench, 'key');
    const url = `${bench.emulator.url}/${bucket}/key`;
    const scope = encodeURIComponent('AK/20260301/us-east-1/s3/aws4_request');

    const presigned = await fetch(`${url}?X-Amz-Credential=${scope}&X-Amz-Signature=0`);
    const unsigned = await fetch(url);

    expect(await presigned.text()).toBe('body');
    expect(unsigned.status).toBe(403);
    expect(await unsigned.text()).toContain('<Code>AccessDenied</Code>');
  });
});

describe('ListObjectsV2', () => {
  const list = ({ s3 }: Bench, input: Omit<ListObjectsV2CommandInput, 'Bucket'>) =>
    s3.send(new ListObjectsV2Command({ Bucket: bucket, ...input }));
  const keysOf = (page: Awaited<ReturnType<typeof list>>) => page.Contents?.map(({ Key }) => Key);

  it('lists in the order of UTF-8 bytes, in pages', async () => {
    await using bench = await openBench();
    for (const key of ['b', 'B', 'ä', '\u{1F40E}', '\uFF5E']) await put(bench, key);

    const first = await list(bench, { MaxKeys: 3 });
    const second = await list(bench, {
      MaxKeys: 3,
      ContinuationToken: first.NextContinuationToken,
    });

    expect(keysOf(first)).toEqual(['B', 'b', 'ä']);
    expect(first).toMatchObject({ KeyCount: 3, MaxKeys: 3, IsTruncated: true });
    expect(keysOf(second)).toEqual(['\uFF5E', '\u{1F40E}']);
    expect(second).toMatchObject({ KeyCount: 2, IsTruncated: false });
    expect(second.NextContinuationToken).toBeUndefined();
  });

  it('rolls keys up to a delimiter, also across pages', async () => {
    await using bench = await openBench();
    for (const key of ['p/a/1', 'p/a/2', 'p/b', 'p/c/1', 'q']) await put(bench, key);

    const whole = await list(bench, { Prefix: 'p/', Delimiter: '/' });
    const first = await list(bench, { Prefix: 'p/', Delimiter: '/', MaxKeys: 1 });
    const next = first.NextContinuationToken;
    const second = await list(bench, { Prefix: 'p/', Delimiter: '/', ContinuationToken: next });

    expect(keysOf(whole)).toEqual(['p/b']);
    expect(whole.CommonPrefixes).toEqual([{ Prefix: 'p/a/' }, { Prefix: 'p/c/' }]);
    expect(whole).toMatchObject({ KeyCount: 3, MaxKeys: 1000, Prefix: 'p/', Delimiter: '/' });
    expect(first.CommonPrefixes).toEqual([{ Prefix: 'p/a/' }]);
    expect([keysOf(second), second.CommonPrefixes]).toEqual([['p/b'], [{ Prefix: 'p/c/' }]]);
  });

  it('encodes keys as URLs when asked to, and begins after a key', async () => {
    await using bench = await openBench();
    for (const key of ['a b/ü+', 'z']) await put(bench, key);

    const encoded = await list(bench, { EncodingType: 'url' });
    const after = await list(bench, { StartAfter: 'a b/ü+' });

    expect(keysOf(encoded)).toEqual(['a+b/%C3%BC%2B', 'z']);
    expect(encoded.EncodingType).toBe('url');
    expect(keysOf(after)).toEqual(['z']);
    expect(after.StartAfter).toBe('a b/ü+');
  });

  it('counts nothing when asked for nothing, and refuses what it cannot read', async () => {
    await using bench = await openBench();
    await put(bench, 'key');

    expect(await list(bench, { MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false });
    expect(await refusal(list(bench, { MaxKeys: -1 }))).toMatchObject({ name: 'InvalidArgument' });
    expect(await refusal(list(bench, { ContinuationToken: 'x' }))).toMatchObject({
      name: 'InvalidArgument',
    });
  });
});

it('answers 501 to what S3 can and this cannot', async () => {
  await using bench = await openBench();
  const { url } = bench.emulator;
  const send = async (method: string, path: string) => {
    const authorization = 'AWS4-HMAC-SHA256 Credential=AK/20260301/us-east-1/s3/aws4_request,';
    const response = await fetch(url + path, { method, headers: { authorization } });
    return [response.status, /<Code>(\w+)/.exec(await response.text())?.[1]];
  };

  const notImplemented = [501, 'NotImplemented'];
  expect(await send('DELETE', `/${bucket}/key`)).toEqual(notImplemented);
  expect(await send('GET', `/${bucket}`)).toEqual(notImplemented);
  expect(await send('POST', `/${bucket}?policy`)).toEqual(notImplemented);
  expect(await send('PUT', `/${bucket}?location`)).toEqual(notImplemented);
  expect(await send('PUT', `/${bucket}?list-type=2`)).toEqual(notImplemented);
  expect(await send('PUT', '/')).toEqual(notImplemented);
  expect(await send('GET', `/${bucket}/%zz`)).toEqual([400, 'InvalidURI']);
  const answer = await sendRaw(url, '', { service: 'monitoring' });
  expect(answer.text).toContain('NotImplemented');
});

describe('in a data directory', () => {
  function makeDirectory(): string {
    const directory = mkdtempSync(join(tmpdir(), 'emulator-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    return directory;
  }
  const filesIn = (directory: string) =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
      .sort();

  it('objects lie under their keys, and outlive the emulator with bucket and policy', async () => {
    const dataDir = join(makeDirectory(), 'data');
    await using before = await openBench({ dataDir });
    before.emulator.seed.bucket({ bucket: 'closed', region: 'eu-west-1', policy: null });
    const taskId = await before.create({ destinationPrefix: 'daily' });
    await put(before, 'notes.txt', 'kept');

    await before.emulator.close();
    const files = filesIn(join(dataDir, bucket));
    await using after = await openEmulator({ dataDir });
    await using bench = { ...(await openBench({ dataDir })) };

    expect(files).toEqual(['daily/aws-logs-write-test', 'notes.txt']);
    expect(readFileSync(join(dataDir, bucket, 'notes.txt'), 'utf8')).toBe('kept');
    expect(after.exportTasks()).toEqual([]);
    expect(await bench.describe(taskId)).toBeUndefined();
    expect(await bench.keys()).toEqual(files);
    expect((await get(bench, 'notes.txt')).text).toBe('kept');
    const { LocationConstraint } = await bench.s3.send(
      new GetBucketLocationCommand({ Bucket: 'closed' }),
    );
    expect(LocationConstraint).toBe('eu-west-1');
    expect(await refusal(bench.create({ destination: 'closed' }))).toBeDefined();
    expect(await refusal(bench.create())).toBeUndefined();
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
  ])('the key %j stays inside and comes back as it was', async (key) => {
    const parent = makeDirectory();
    const dataDir = join(parent, 'data');
    await using before = await openBench({ dataDir, activeTaskLimit: Infinity });

    await before.create({ destinationPrefix: key });
    await before.emulator.close();
    await using after = await openBench({ dataDir });

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

  it('a key that is both file and folder, or too long for a file, is kept in memory', async () => {
    const dataDir = makeDirectory();
    await using bench = await openBench({ dataDir });
    const keys = ['a', 'a/b', 'x'.repeat(300), 'c/d', 'c'];

    for (const key of keys) await put(bench, key, `body of ${key}`);

    for (const key of keys) expect((await get(bench, key)).text).toBe(`body of ${key}`);
    expect(filesIn(join(dataDir, bucket))).toEqual(['a', 'c/d']);
  });

  it('a file somebody put there is an object under its name', async () => {
    const dataDir = makeDirectory();
    await using before = await openBench({ dataDir });
    writeFileSync(join(dataDir, bucket, '100%.txt'), 'by hand');
    await before.emulator.close();
    await using after = await openBench({ dataDir });

    expect(await after.keys()).toEqual(['100%.txt']);
  });

  it('no bucket gets a name that is a way out', async () => {
    await using bench = await openBench({ dataDir: makeDirectory() });
    const { seed } = bench.emulator;

    for (const name of ['..', '../x', '/etc', 'A', '.buckets']) {
      expect(() => seed.bucket({ bucket: name })).toThrow('no name for a bucket');
    }
  });
});
