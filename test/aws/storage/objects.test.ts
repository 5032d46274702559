import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import type { Problem } from '#problems/problem.ts';
import { pointSdkAt } from '../../world.ts';
import { type OpenStorage, openStorage } from './open-storage.ts';

const bucket = 'archive';
let opened: OpenStorage;
beforeAll(async () => {
  opened = await openStorage();
});
afterAll(() => opened[Symbol.asyncDispose]());

const write = (key: string, content = 'content') =>
  opened.storage.writeOnce({
    bucket,
    key,
    body: Buffer.from(content),
    contentType: 'text/plain',
  });
const read = async (key: string) => text(await opened.storage.readObject({ bucket, key }));
const slugOf = (call: Promise<unknown>) =>
  call.then(
    () => 'succeeds',
    ({ slug }: Problem) => slug,
  );

describe('an object', () => {
  test.each([
    'plain/000000.gz',
    'two//slashes',
    '/leading',
    'trailing/',
    'plus+and space',
    ' around ',
    'dots/./and/../more',
    'percent%2Fpercent%',
    "marks!'()*;:@&=$,?#[]",
    'quotes"<xml>&amp;',
    'tab\tand\nnewline\r',
    'Ünïcödé/日本語/😀',
  ])('with the key %j is listed, read and found under exactly this key', async (key) => {
    const content = `content of ${key}`;

    expect(await write(key, content)).toBe('written');
    const { objects, isComplete } = await opened.storage.listObjects({ bucket, prefix: key });
    const checksum = await opened.storage.readChecksum({ bucket, key });

    expect(objects).toMatchObject([{ key, size: Buffer.byteLength(content) }]);
    expect(isComplete).toBe(true);
    expect(await read(key)).toBe(content);
    expect(checksum).toMatchObject({ type: 'FULL_OBJECT' });
  });

  test('keeps the content of its first write', async () => {
    expect(await write('once', 'first')).toBe('written');
    expect(await write('once', 'second')).toBe('exists');

    expect(await read('once')).toBe('first');
  });

  test('has its size, its ETag without quotation marks, its time and its checksum algorithm in lists', async () => {
    await write('facts', '12345');

    const { objects } = await opened.storage.listObjects({ bucket, prefix: 'facts' });

    expect(objects).toEqual([
      {
        key: 'facts',
        size: 5,
        etag: '827ccb0eea8a706c4c34a16891f84e7b',
        lastModified: expect.closeTo(opened.emulator.clock.now(), -5),
        checksumAlgorithm: expect.stringMatching(/^CRC/),
      },
    ]);
  });
});

describe('a list of objects', () => {
  test('continues after a key, in the order of the bytes of UTF-8, until it is complete', async () => {
    const keys = ['pages/a', 'pages/z', 'pages/\uffee', 'pages/😀'];
    for (const key of keys) await write(key);
    const list = async (after?: string) => {
      const where = { bucket, prefix: 'pages/', limit: 2, ...(after && { after }) };
      const { objects, isComplete } = await opened.storage.listObjects(where);
      return [objects.map(({ key }) => key), isComplete];
    };

    expect(await list()).toEqual([keys.slice(0, 2), false]);
    expect(await list('pages/z')).toEqual([keys.slice(2), true]);
    expect(await list('pages/😀')).toEqual([[], true]);
  });
});

describe('a call about objects', () => {
  test('throws destination-not-found for a bucket that does not exist', async () => {
    const { storage } = opened;
    const nowhere = { bucket: 'nowhere', key: 'key' };
    const body = Buffer.from('content');

    expect(await slugOf(storage.listObjects({ bucket: 'nowhere', prefix: '' }))).toBe(
      'destination-not-found',
    );
    expect(await slugOf(storage.readObject(nowhere))).toBe('destination-not-found');
    expect(await slugOf(storage.writeOnce({ ...nowhere, body, contentType: 'text/plain' }))).toBe(
      'destination-not-found',
    );
  });

  test('throws destination-not-found for a bucket in another Region', async () => {
    opened.emulator.seed.bucket({ region: 'us-east-1', bucket: 'elsewhere' });

    const call = opened.storage.listObjects({ bucket: 'elsewhere', prefix: '' });

    await expect(call).rejects.toMatchObject({
      slug: 'destination-not-found',
      detail: expect.stringContaining('must be addressed using the specified endpoint'),
    });
  });

  test('is sent up to three times while S3 answers with a server error', async () => {
    const fault = { operation: 'ListObjectsV2', kind: 'error', status: 503, code: 'X' } as const;
    opened.emulator.faults.add({ ...fault, count: 2 });
    expect(await slugOf(opened.storage.listObjects({ bucket, prefix: 'none' }))).toBe('succeeds');

    opened.emulator.faults.add({ ...fault, count: 3 });
    expect(await slugOf(opened.storage.listObjects({ bucket, prefix: 'none' }))).toBe(
      'aws-unavailable',
    );
  });

  test.each([
    ['was not sent', 'http://127.0.0.1:1', 'This service could not reach S3. Nothing was sent.'],
    ['lost its connection', undefined, 'The connection to S3 was lost.'],
  ])('throws aws-unavailable when it %s', async (_what, url, detail) => {
    await using own = await openStorage();
    own.emulator.faults.add({ operation: 'ListObjectsV2', kind: 'reset-after', count: 3 });
    if (url) pointSdkAt(url);

    await expect(own.storage.listObjects({ bucket, prefix: '' })).rejects.toMatchObject({
      slug: 'aws-unavailable',
      detail,
    });
  });

  test('ends when its signal aborts', async () => {
    const controller = new AbortController();
    opened.emulator.faults.add({ operation: 'ListObjectsV2', kind: 'silence-before' });

    const call = slugOf(
      opened.storage.listObjects({ bucket, prefix: '' }, { signal: controller.signal }),
    );
    await expect.poll(() => opened.emulator.faults.pending()).toEqual([]);
    controller.abort();

    expect(await call).toBe('aws-timeout');
  });
});
