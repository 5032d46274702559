import { createHash, timingSafeEqual } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { openApiKeys } from '#auth/authentication/api-keys.ts';
import { temporaryDir } from '../../database/homes.ts';
import { openWorld } from '../../world.ts';
import { openGuard, reasonOf, requestWith } from '../guard.ts';
import { makeTime } from '../time.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const entry = (name: string, members: object = {}) => ({
  name,
  sha256: sha256(`key of ${name}`),
  ...members,
});

/** Opens keys in a file, with a clock that the test advances. */
async function openKeys(entries: unknown) {
  const apiKeysFile = join(temporaryDir(), 'api-keys.json');
  const write = (content: unknown) =>
    writeFileSync(apiKeysFile, typeof content === 'string' ? content : JSON.stringify(content));
  write(entries);
  const time = makeTime(1);
  const guard = await openGuard({ methods: ['api-key'], apiKeysFile }, time);
  const verify = async (key: string) => {
    try {
      return await guard.authenticate(requestWith(['X-Api-Key', key]));
    } catch (error) {
      return reasonOf(error);
    }
  };
  return {
    apiKeysFile,
    write,
    time,
    guard,
    verify,
    [Symbol.asyncDispose]: () => guard[Symbol.asyncDispose](),
  };
}

describe('an API key', () => {
  test('identifies the caller over real HTTP', async () => {
    await using keys = await openKeys([entry('payments', { groups: ['exporters'] })]);
    await using world = await openWorld({ access: keys.guard.access });
    const ask = (key: string) =>
      world.call('GET', '/export-tasks', undefined, { 'x-api-key': key });

    const accepted = await ask('key of payments');
    const line = world.log.at(-1);
    const refused = await ask('key of nobody');

    expect([accepted.status, line?.principal]).toEqual([200, 'api-key#payments']);
    expect(refused.status).toBe(401);
    expect(refused.body.detail).toBe('This service does not accept the API key.');
    expect(refused.headers.get('www-authenticate')).toBe(
      'ApiKey realm="log-export-gateway", error="invalid_key"',
    );
    expect(JSON.stringify([world.log, world.audit])).not.toContain('key of');
  });

  test('returns the groups of its entry, and the same principal object each time', async () => {
    await using keys = await openKeys([entry('a', { groups: ['x', 'y'] }), entry('b')]);
    const { verify } = keys;

    const a = await verify('key of a');

    expect(a).toEqual({
      id: 'api-key#a',
      issuer: 'api-key',
      subject: 'a',
      groups: ['x', 'y'],
      claims: {},
    });
    expect(await verify('key of a')).toBe(a);
    expect(await verify('key of b')).toMatchObject({ subject: 'b', groups: [] });
  });

  test('may contain any bytes, and has the same hash as in a shell', async () => {
    const key = 'schlüssel';
    await using keys = await openKeys([{ name: 'a', sha256: sha256(key).toUpperCase() }]);

    const asNodeReadsIt = Buffer.from(key).toString('latin1');

    expect(await keys.verify(asNodeReadsIt)).toMatchObject({ subject: 'a' });
  });

  test.for(['key of A', 'key of a ', 'key of', 'key of ab', sha256('key of a')])(
    'is refused as %s',
    async (other) => {
      await using keys = await openKeys([entry('a')]);

      expect(await keys.verify(other)).toBe('no such key');
    },
  );

  test('is valid until it expires', async () => {
    const { now } = makeTime(0);
    const expiresAt = new Date(now() + 1_000).toISOString();
    await using keys = await openKeys([entry('a', { expiresAt })]);
    const { verify, time } = keys;

    await time.advance(999);
    const before = await verify('key of a');
    await time.advance(1);
    const after = await verify('key of a');

    expect(before).toMatchObject({ subject: 'a' });
    expect(after).toBe('the key of a has expired');
  });

  test('is compared with every entry in full length', async () => {
    const path = join(temporaryDir(), 'api-keys.json');
    writeFileSync(path, JSON.stringify(['a', 'b', 'c', 'd'].map((name) => entry(name))));
    let comparisons = 0;
    const { sleep } = makeTime(1);
    await using keys = await openApiKeys({
      path,
      sleep,
      now: Date.now,
      refuse: (reason) => new Error(reason),
      readFile: (file) => readFile(file, 'utf8'),
      log: { info() {}, warn() {}, error() {} },
      isEqual(one, other) {
        comparisons += 1;
        return timingSafeEqual(one, other);
      },
    });

    const counts: number[] = [];
    for (const key of ['key of a', 'key of d', 'x', 'x'.repeat(5_000)]) {
      comparisons = 0;
      await Promise.try(keys.verify, key).catch(() => {});
      counts.push(comparisons);
    }

    expect(counts).toEqual([4, 4, 4, 4]);
  });
});

describe('the file of API keys', () => {
  test('is loaded again when it changes: keys are added and removed', async () => {
    await using keys = await openKeys([entry('a'), entry('b')]);
    const { write, verify, time } = keys;

    write([entry('b'), entry('c')]);
    await time.advance(2_000);

    expect(await verify('key of a')).toBe('no such key');
    expect(await verify('key of b')).toMatchObject({ subject: 'b' });
    expect(await verify('key of c')).toMatchObject({ subject: 'c' });
  });

  test('may be empty: then every key is refused', async () => {
    await using keys = await openKeys([entry('a')]);
    const { write, verify, time } = keys;

    write([]);
    await time.advance(2_000);

    expect(await verify('key of a')).toBe('no such key');
  });

  test('is ignored while it is invalid, and an error is logged', async () => {
    await using keys = await openKeys([entry('a')]);
    const { apiKeysFile, write, verify, time, guard } = keys;

    write([entry('b'), entry('b')]);
    await time.advance(2_000);
    const whileWrong = await verify('key of a');
    rmSync(apiKeysFile);
    await time.advance(60_000);

    expect(whileWrong).toMatchObject({ subject: 'a' });
    expect(await verify('key of a')).toMatchObject({ subject: 'a' });
    expect(guard.log.map(({ err }) => (err as Error).message)).toEqual([
      expect.stringContaining(
        '/1/name is "b", which another entry has, too; give each key its own name.',
      ),
      expect.stringContaining('it must be the path of a readable file (ENOENT'),
    ]);
  });

  const otherHash = sha256('other');
  test.for([
    ['no JSON', '[', 'it must be the path of a readable JSON file'],
    ['no array', '{}', 'the file is {}, but must be an array of keys.'],
    ['no name', [{ sha256: otherHash }], '"name" is missing in /0; it must be an object with'],
    ['no hash', [entry('a'), { name: 'b' }], '"sha256" is missing in /1; it must be'],
    ['an unknown member', [entry('a', { key: 'x' })], '"key" is unknown in /0'],
    [
      'a name with a space',
      [entry('a b')],
      '/0/name is "a b", but must be 1 to 64 of the characters A-Z a-z 0-9 . _ -.',
    ],
    ['a long name', [entry('x'.repeat(65))], 'but must be 1 to 64 of the characters'],
    [
      'a key instead of its hash',
      [{ name: 'a', sha256: 'the key itself' }],
      '/0/sha256 is set, but must be the SHA-256 of a key, as 64 hexadecimal digits.',
    ],
    [
      'a name twice',
      [entry('a'), { ...entry('b'), name: 'a' }],
      '/1/name is "a", which another entry has',
    ],
    [
      'a hash twice',
      [entry('a'), { name: 'b', sha256: entry('a').sha256.toUpperCase() }],
      '/1/sha256 is the same as in another entry; list each key once.',
    ],
    ['groups in one text', [entry('a', { groups: 'x' })], '/0/groups is "x", but must be an array'],
    [
      'an end without an offset',
      [entry('a', { expiresAt: '2027-01-01T00:00:00' })],
      '/0/expiresAt must be RFC 3339 with an offset',
    ],
    ['an end that is a number', [entry('a', { expiresAt: 1 })], '/0/expiresAt is 1, but must be'],
  ] as const)('is rejected at the start: %s', async ([, content, words]) => {
    await expect(openKeys(content)).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(/^API_KEYS_FILE is ".*api-keys\.json": .*\.$/),
    });
    await expect(openKeys(content)).rejects.toThrow(words);
    await expect(openKeys(content)).rejects.not.toThrow('the key itself');
  });

  test('is rejected at the start when it is missing', async () => {
    await expect(
      openGuard({ methods: ['api-key'], apiKeysFile: '/nonexistent' }),
    ).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(
        /^API_KEYS_FILE is "\/nonexistent": it must be the path of a readable file \(ENOENT.*\)\.$/,
      ),
    });
  });
});
