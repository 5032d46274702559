import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DeleteObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import type { Manifest, ManifestObject } from '#export-jobs/verification/manifest/manifest.ts';
import { verifyManifest } from '#verify-manifest.ts';
import { openTestAws } from './aws/open-logs.ts';
import { type OpenStorage, openStorage } from './aws/storage/open-storage.ts';
import { openSeededQueue, readManifests } from './export-jobs/verification/seeded-exports.ts';
import { memoryFolder } from './memory-folder.ts';
import { region } from './world.ts';

const bucket = 'archive';
const defaultRegion = 'us-east-1';
const commandName = 'npx log-export-gateway';
const taskId = '0c1f9d52-0000-4000-8000-000000000001';
const prefix = `exports/app/${taskId}/`;
const manifestKey = `exports/app/_manifest-${taskId}.json`;
const lines = (count: number) =>
  gzipSync('2024-05-01T00:00:00.000Z a message\ncontinued\n'.repeat(count));

let opened: OpenStorage;
let manifest: Manifest;
beforeEach(async () => {
  opened = await openStorage();
  await put(`${prefix}stream one/000000.gz`, lines(3));
  await put(`${prefix}stream+two/000000.gz`, lines(2));
  await put(`${prefix}stream+two/000001.gz`, lines(1));
  const objects = await describeObjects();
  manifest = {
    formatVersion: 1,
    accountId: '123456789012',
    region,
    logGroupName: '/app',
    from: '2024-05-01T00:00:00.000Z',
    to: '2024-05-02T00:00:00.000Z',
    taskId,
    jobId: 'job',
    slice: 0,
    attempt: 1,
    caller: 'issuer#caller',
    bucket,
    prefix,
    submittedAt: '2024-05-03T00:00:00.000Z',
    verification: 'count',
    totals: {
      objects: 3,
      bytes: objects.reduce((sum, { size }) => sum + size, 0),
      streams: 2,
      lines: 12,
      records: 6,
    },
    isEmpty: false,
    count: { events: 6 },
    objects,
  };
});
afterEach(() => opened[Symbol.asyncDispose]());

const put = (key: string, body: Buffer) =>
  opened.storage.writeOnce({ bucket, key, body, contentType: 'application/octet-stream' });

async function describeObjects(): Promise<ManifestObject[]> {
  const { objects } = await opened.storage.listObjects({ bucket, prefix });
  return Promise.all(
    objects.map(async ({ key, size, etag }) => {
      const checksum = await opened.storage.readChecksum({ bucket, key });
      return { key, size, etag, ...(checksum && { checksum }) };
    }),
  );
}

/** Runs the tool on the command line of a test. */
async function runWhole(...words: string[]): Promise<{ code: number; written: string[] }> {
  using aws = openTestAws();
  const written: string[] = [];
  const write = (line: string) => void written.push(line);
  const code = await verifyManifest(words, { aws, defaultRegion, commandName, write });
  return { code, written };
}

/** Runs the tool. Returns its lines without that of the SHA-256, which ends each comparison. */
async function run(...words: string[]): Promise<{ code: number; written: string[] }> {
  const { code, written } = await runWhole(...words);
  if (code !== 2) expect(written.pop()).toMatch(/^SHA-256 of the manifest: [0-9a-f]{64}\./);
  return { code, written };
}

/** Stores the manifest in S3 and checks it. */
async function check(changes: object = {}, ...words: string[]) {
  await put(manifestKey, Buffer.from(JSON.stringify({ ...manifest, ...changes })));
  return run(...words, `s3://${bucket}/${manifestKey}`);
}

describe('a manifest of the gateway', () => {
  test('differs in nothing from its export, until an object is deleted', async () => {
    await using queue = await openSeededQueue();
    const jobId = await queue.put();
    await queue.runUntilDone();
    const [written] = await readManifests(queue);
    const url = `s3://archive/${written?.key}`;

    const before = await run('--deep', url);
    const [object] = written?.manifest.objects ?? [];
    const client = new S3Client({ region, forcePathStyle: true });
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: object.key }));
    client.destroy();
    const after = await run(url);

    expect(before).toMatchObject({ code: 0 });
    expect(jobId).toBe(written?.manifest.jobId);
    expect(after).toEqual({ code: 1, written: [`missing: ${object.key}`, 'Differences: 1.'] });
  });
});

describe('the check of a manifest', () => {
  test('finds no difference in an export as it was written', async () => {
    const { bytes } = manifest.totals;

    expect(await check()).toEqual({
      code: 0,
      written: [`Nothing differs: 3 objects, ${bytes} bytes.`],
    });
  });

  test('reads a manifest from a file, also as the command of npx', async () => {
    const folder = mkdtempSync(join(memoryFolder, 'manifest-'));
    const file = join(folder, 'manifest.json');
    writeFileSync(file, JSON.stringify(manifest));

    expect(await run('verify', '--deep', file)).toMatchObject({ code: 0 });
    rmSync(folder, { recursive: true });
  });

  test('names each missing, further and changed object', async () => {
    const [first, second, third] = manifest.objects as [
      ManifestObject,
      ManifestObject,
      ManifestObject,
    ];
    const changed = {
      ...second,
      size: second.size + 1,
      etag: 'another',
      checksum: { algorithm: 'CRC32', value: 'AAAAAA==' },
    };
    const gone = { ...third, key: `${prefix}gone/000000.gz` };

    const { code, written } = await check({ objects: [first, changed, gone] });

    expect(code).toBe(1);
    expect(written).toEqual([
      expect.stringContaining('totals.bytes: '),
      `size of ${second.key}: ${second.size}, manifest ${second.size + 1}`,
      `ETag of ${second.key}: ${second.etag}, manifest another`,
      `not in the manifest: ${third.key}`,
      `missing: ${gone.key}`,
      expect.stringMatching(/^checksum of .*two\/000000.gz: CRC\S+ \S+, manifest CRC32 AAAAAA==$/),
      'Differences: 6.',
    ]);
  });

  test('names a prefix of another task, and totals that do not fit', async () => {
    const totals = { ...manifest.totals, objects: 4 };

    const { written } = await check({ taskId: 'other', totals, isEmpty: true });

    expect(written).toEqual([
      `prefix: ${prefix} does not end in the task other`,
      'totals.objects: 4, but the manifest lists 3 objects',
      'isEmpty: true, with 3 objects',
      'Differences: 3.',
    ]);
  });

  test('names a manifest that was copied to another place', async () => {
    await put('copy.json', Buffer.from(JSON.stringify(manifest)));

    expect(await run('s3://archive/copy.json')).toEqual({
      code: 1,
      written: [
        `place: s3://archive/copy.json, manifest s3://archive/${manifestKey}`,
        'Differences: 1.',
      ],
    });
  });

  test('writes one line for a key with control characters', async () => {
    await put(`${prefix}new\nline\u001b[2J/000000.gz`, lines(1));

    expect((await check()).written).toEqual([
      `not in the manifest: ${prefix}new\\u000aline\\u001b[2J/000000.gz`,
      'Differences: 1.',
    ]);
  });

  test('names each violation of the schema', async () => {
    const { code, written } = await check({ slice: -1, region: undefined });

    expect(code).toBe(1);
    expect(written).toEqual([
      "schema: the manifest must have required property 'region'",
      'schema: /slice must be >= 0',
      'Differences: 2.',
    ]);
  });
});

describe('the check of a manifest with a list beside it', () => {
  const filesKey = `exports/app/_manifest-${taskId}-files.ndjson.gz`;
  const listOf = (objects: ManifestObject[]) =>
    gzipSync(objects.map((object) => `${JSON.stringify(object)}\n`).join(''));

  test('compares the objects of the list', async () => {
    const list = listOf(manifest.objects?.slice(1) ?? []);
    await put(filesKey, list);
    const filesSha256 = createHash('sha256').update(list).digest('hex');

    const { written } = await check({ objects: undefined, filesKey, filesSha256 });

    expect(written).toContain(`not in the manifest: ${manifest.objects?.[0]?.key}`);
    expect(written.filter((line) => line.startsWith('SHA-256'))).toEqual([]);
  });

  test('names a list with another digest', async () => {
    await put(filesKey, listOf(manifest.objects ?? []));
    const filesSha256 = '0'.repeat(64);

    const { code, written } = await check({ objects: undefined, filesKey, filesSha256 });

    expect(code).toBe(1);
    expect(written[0]).toMatch(/^SHA-256 of .*-files.ndjson.gz: [0-9a-f]{64}, manifest 0{64}$/);
    expect(written).toHaveLength(2);
  });

  test('names a list that is missing', async () => {
    expect(await check({ objects: undefined, filesKey })).toEqual({
      code: 1,
      written: [`missing: ${filesKey}`, 'Differences: 1.'],
    });
  });

  test('names a list that is no whole gzip file, and lines that are no objects', async () => {
    await put(filesKey, gzipSync('{"key":1}\n').subarray(0, 15));
    const broken = await check({ objects: undefined, filesKey });
    await put(`${filesKey}.2`, gzipSync('{"key":1}\n'));
    await put(
      'other.json',
      Buffer.from(JSON.stringify({ ...manifest, objects: undefined, filesKey: `${filesKey}.2` })),
    );

    const { written } = await run('s3://archive/other.json');

    expect(broken.written).toContain(`content of ${filesKey}: no whole gzip file`);
    expect(written).toContain(`schema: line 1 of ${filesKey}.2 is no object of a manifest`);
  });
});

describe('the deep check of a manifest', () => {
  test('names content that is no whole gzip file, or has another checksum or other lines', async () => {
    const [first, ...others] = manifest.objects as [ManifestObject];
    const broken = `${prefix}broken/000000.gz`;
    await put(broken, lines(3).subarray(0, 30));
    const objects = await describeObjects();
    const found = objects.find(({ key }) => key === broken) as ManifestObject;
    const bytes = manifest.totals.bytes + found.size;
    const totals = { ...manifest.totals, objects: 4, bytes, records: 7 };
    const wrong = { ...first, checksum: { algorithm: 'SHA256', value: 'x' } };

    const { written } = await check({ totals, objects: [found, wrong, ...others] }, '--deep');

    expect(written).toEqual([
      `content of ${broken}: no whole gzip file`,
      expect.stringMatching(/^content of .*one\/000000.gz: SHA256 \S+, manifest x$/),
      'totals.records: 6, manifest 7',
      'Differences: 3.',
    ]);
  });
});

describe('an object that S3 has with another checksum algorithm', () => {
  /** The manifest with the SHA-256 of the first object. The bytes in S3 are as they were. */
  const withOther = (checksum: object) => {
    const [first, ...others] = manifest.objects as [ManifestObject];
    return { objects: [{ ...first, checksum }, ...others] };
  };
  const value = createHash('sha256').update(lines(3)).digest('base64');
  const note = /^other checksum algorithm of .*one\/000000.gz: CRC\S+, manifest SHA256.*; /;

  test('is no difference and no silent pass', async () => {
    expect(await check(withOther({ algorithm: 'SHA256', value }))).toEqual({
      code: 1,
      written: [
        expect.stringMatching(new RegExp(`${note.source}use --deep`)),
        'Undecided checksums: 1.',
      ],
    });
  });

  test('differs in nothing if the content has the checksum of the manifest', async () => {
    const { code, written } = await check(withOther({ algorithm: 'SHA256', value }), '--deep');

    expect([code, written]).toEqual([0, [expect.stringMatching(/^Nothing differs/)]]);
  });

  test('stays undecided if the checksum is made of those of parts', async () => {
    const ofParts = { algorithm: 'SHA256', value: `${value}-2`, type: 'COMPOSITE' };

    const { code, written } = await check(withOther(ofParts), '--deep');

    expect(code).toBe(1);
    expect(written).toEqual([
      expect.stringMatching(new RegExp(`${note.source}it cannot be computed`)),
      'Undecided checksums: 1.',
    ]);
  });
});

test('the check of a manifest ends with its SHA-256', async () => {
  const content = Buffer.from(JSON.stringify(manifest));
  await put(manifestKey, content);

  const { written } = await runWhole(`s3://${bucket}/${manifestKey}`);

  const sha256 = createHash('sha256').update(content).digest('hex');
  expect(written.at(-1)).toBe(
    `SHA-256 of the manifest: ${sha256}. Compare it with manifest.sha256 of the slice.`,
  );
});

test('the check of a manifest counts the objects of which it has no checksum', async () => {
  const objects = manifest.objects?.map(({ checksum: _removed, ...object }) => object);

  const { code, written } = await check({ objects });

  expect(code).toBe(0);
  expect(written[0]).toBe('Objects without a checksum in the manifest: 3.');
});

test.each(['--help', '-h'])('explains its use with %s', async (option) => {
  const { code, written } = await runWhole('verify', option);

  expect(code).toBe(0);
  expect(written[0]).toBe('Usage: npx log-export-gateway [--deep] <manifest>');
  expect(written.join('\n')).toContain('--deep');
});

describe('the check of a manifest ends with code 2', () => {
  test.each([
    ['without a manifest', [], /^Usage: /],
    ['with two manifests', ['a', 'b'], /^Usage: /],
    ['with an unknown option', ['--shallow', 'a'], /'--shallow'/],
    ['for a missing file', ['/nonexistent'], /^The manifest cannot be read: ENOENT: no such file/],
    ['for a missing bucket', ['s3://nowhere/a.json'], /^The bucket nowhere does not exist/],
    ['for a missing object', ['s3://archive/none.json'], /AWS/],
  ])('%s', async (_what, words, message) => {
    const { code, written } = await run(...words);

    expect(code).toBe(2);
    expect(written[0]).toMatch(message);
  });

  test('for credentials without permission, which are not those of a service role', async () => {
    await using closed = await openStorage({ deniedActions: { '*': ['s3:GetObject'] } });

    const { code, written } = await run('s3://archive/a.json');

    expect(closed.emulator.journal.entries()).not.toEqual([]);
    expect(code).toBe(2);
    expect(written).toEqual([
      'AWS denied s3:GetObject on s3://archive/a.json to your credentials (AccessDenied).',
    ]);
  });

  test.each([
    ['s3:ListBucket', /^AWS denied s3:ListBucket on the bucket archive to your credentials/],
    ['s3:GetObject', /^AWS denied s3:GetObject on s3:\/\/archive\/.*one\/000000.gz to your/],
  ])('for credentials without %s, with a manifest from a file', async (action, line) => {
    const folder = mkdtempSync(join(memoryFolder, 'manifest-'));
    const file = join(folder, 'manifest.json');
    writeFileSync(file, JSON.stringify(manifest));
    opened.emulator.options.change({ deniedActions: { '*': [action] } });

    const { code, written } = await run(file);

    rmSync(folder, { recursive: true });
    expect(code).toBe(2);
    expect(written).toEqual([expect.stringMatching(line)]);
  });

  test('without credentials, which are not those of a service role', async () => {
    using aws = openTestAws();
    const written: string[] = [];
    const write = (line: string) => void written.push(line);
    const refuse = () => {
      throw Object.assign(new Error('none'), { name: 'CredentialsProviderError' });
    };
    const region = (name: string) => ({ ...aws.region(name), defaultCredentials: refuse });

    const code = await verifyManifest(['s3://archive/a.json'], {
      aws: { ...aws, region },
      defaultRegion,
      commandName,
      write,
    });

    expect(code).toBe(2);
    expect(written).toEqual([expect.stringMatching(/^Your credentials are missing.*AWS_PROFILE/)]);
  });

  test.each(['no json', '{"formatVersion":2}'])('for the text %j', async (content) => {
    await put('other.json', Buffer.from(content));

    expect(await run('s3://archive/other.json')).toMatchObject({
      code: 2,
      written: [expect.stringContaining('no manifest')],
    });
  });
});
