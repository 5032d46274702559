import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetBucketLocationCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEmulator } from '../../src/emulator.ts';
import { bucket, openBench, refusal } from '../bench.ts';

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
    await before.put('notes.txt', 'kept');

    await before.emulator.close();
    const files = filesIn(join(dataDir, bucket));
    await using after = await openEmulator({ dataDir });
    await using bench = { ...(await openBench({ dataDir })) };

    expect(files).toEqual(['daily/aws-logs-write-test', 'notes.txt']);
    expect(readFileSync(join(dataDir, bucket, 'notes.txt'), 'utf8')).toBe('kept');
    expect(after.exportTasks()).toEqual([]);
    expect(await bench.describe(taskId)).toBeUndefined();
    expect(await bench.keys()).toEqual(files);
    expect((await bench.get('notes.txt')).text).toBe('kept');
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

    for (const key of keys) await bench.put(key, `body of ${key}`);

    for (const key of keys) expect((await bench.get(key)).text).toBe(`body of ${key}`);
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
      expect(() => seed.bucket({ bucket: name })).toThrow('is invalid');
    }
  });
});
