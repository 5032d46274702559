import { createHmac, hash } from 'node:crypto';
import { describe, expect, test } from 'vitest';

import { makeWireKey } from '#auth/authentication/signature/wire-key.ts';
import { readWireKey, toAwsProfile } from '#config/wire/read-wire-key.ts';

const WIRE_SECRET = 'the secret of this test, 32 characters';
const entries = [
  { name: 'checkout', sha256: hash('sha256', 'a'), wire: 3 },
  { name: 'rest-only', sha256: hash('sha256', 'b') },
];
const env = { WIRE_SECRET, API_KEYS_FILE: 'keys.json' };
const readKeys = () => JSON.stringify(entries);
const secret = createHmac('sha256', WIRE_SECRET).update('checkout:3').digest('base64url');

test('a key is derived from the secret, the name and the version', () => {
  const key = makeWireKey(WIRE_SECRET, 'checkout', 3);

  expect(key).toEqual({ accessKeyId: 'checkout', secretAccessKey: secret });
  expect(makeWireKey(WIRE_SECRET, 'checkout', 4)).not.toEqual(key);
  expect(makeWireKey(`${WIRE_SECRET}x`, 'checkout', 3)).not.toEqual(key);
});

describe('the key of an entry', () => {
  test('has the version in the file', () => {
    expect(readWireKey(env, 'checkout', readKeys)).toEqual(makeWireKey(WIRE_SECRET, 'checkout', 3));
  });

  test.each([
    [{ WIRE_SECRET }, 'checkout', 'API_KEYS_FILE is not set; wire-key needs both'],
    [{ API_KEYS_FILE: 'keys.json' }, 'checkout', 'WIRE_SECRET is not set; wire-key needs both'],
    [{}, 'checkout', 'API_KEYS_FILE and WIRE_SECRET are not set; wire-key needs both'],
    [{ ...env, WIRE_SECRET: 'short' }, 'checkout', 'WIRE_SECRET is set, but must be at least 32'],
    [env, 'nobody', 'API_KEYS_FILE is "keys.json": no entry has the name "nobody".'],
    [env, 'rest-only', 'add "wire": 1 to let its caller sign requests.'],
  ])('is rejected with %o for %s', (variables, name, text) => {
    expect(() => readWireKey(variables, name, readKeys)).toThrow(text);
  });

  test('comes from the secret in a file', () => {
    const files = { 'keys.json': readKeys(), secret: `${WIRE_SECRET}\n` };
    const { API_KEYS_FILE } = env;

    const read = (path: string) => files[path as keyof typeof files];
    const key = readWireKey({ API_KEYS_FILE, WIRE_SECRET_FILE: 'secret' }, 'checkout', read);

    expect(key).toEqual(makeWireKey(WIRE_SECRET, 'checkout', 3));
  });

  test.each([
    [0, 'is 0, but must be the version'],
    ['1', 'is "1", but must be the version'],
    [1.5, 'is 1.5, but must be the version'],
  ])('is rejected with version %o', (wire, text) => {
    const read = () => JSON.stringify([{ ...entries[0], wire }]);

    expect(() => readWireKey(env, 'checkout', read)).toThrow(`/0/wire ${text}`);
  });

  test('is rejected with the name of callers that have a token', () => {
    const read = () => JSON.stringify([{ ...entries[0], name: 'jwt' }]);

    expect(() => readWireKey(env, 'jwt', read)).toThrow(
      '/0/name is "jwt", which is the access key id of callers with a token',
    );
  });
});

test('a key is written as a profile of AWS clients', () => {
  expect(toAwsProfile(makeWireKey(WIRE_SECRET, 'checkout', 3))).toBe(
    `[checkout]\naws_access_key_id = checkout\naws_secret_access_key = ${secret}`,
  );
});
