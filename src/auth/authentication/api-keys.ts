import { createHash, timingSafeEqual } from 'node:crypto';
import { type Static, Type } from '@sinclair/typebox';
import { openReloadedValue, type ReloadedValueOptions } from '#files/reloaded-value.ts';
import { readInstant } from '#validation/instant.ts';
import {
  type FileVariable,
  fileError,
  readNamedFile,
  readSettingsFile,
} from '#validation/settings.ts';
import type { Principal } from '../principal.ts';
import type { Verify } from './combine-methods.ts';
import { type SigningKey, tokenKeyId } from './signature/signatures.ts';

const ApiKeysFile = Type.Array(
  Type.Object(
    {
      name: Type.String({
        pattern: '^[A-Za-z0-9._-]{1,64}$',
        'x-rule': '1 to 64 of the characters A-Z a-z 0-9 . _ -',
      }),
      sha256: Type.String({
        pattern: '^[0-9a-fA-F]{64}$',
        'x-rule': 'the SHA-256 of a key, as 64 hexadecimal digits',
        'x-secret': true, // by mistake, it may be the key itself
      }),
      groups: Type.Optional(
        Type.Array(Type.String({ minLength: 1, 'x-rule': 'the name of a group' }), {
          'x-rule': 'an array of names of groups',
        }),
      ),
      expiresAt: Type.Optional(
        Type.String({ 'x-rule': 'RFC 3339 text such as "2027-01-01T00:00:00Z"' }),
      ),
      wire: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: Number.MAX_SAFE_INTEGER,
          'x-rule': 'the version of the secret for signed requests, a whole number from 1',
        }),
      ),
    },
    {
      additionalProperties: false,
      'x-rule': 'an object with name and sha256, and optionally groups, expiresAt, wire',
    },
  ),
  { 'x-rule': 'an array of keys' },
);

/** A key as it is stored for comparison. */
export interface ApiKey {
  hash: Buffer;
  /** Epoch ms; infinite if the key does not expire. */
  expiresAt: number;
  principal: Principal;
  /** The version of the secret for signed requests; undefined if the caller may not sign. */
  wire: number | undefined;
}

/** What the API keys are opened with. */
export interface ApiKeysOptions extends Pick<ReloadedValueOptions<unknown>, 'sleep' | 'log'> {
  /** The value of API_KEYS_FILE. */
  path: string;
  readFile: (path: string) => Promise<string>;
  now: () => number;
  refuse: (reason: string) => Error;
  /** Compares in constant time. */
  isEqual?: (one: Buffer, other: Buffer) => boolean;
}

/** The current API keys. */
export interface ApiKeys extends AsyncDisposable {
  verify: Verify;
  /** Returns the key with this name; undefined if there is none, or if it may not sign requests. */
  findSigningKey(name: string): SigningKey | undefined;
}

/**
 * Opens the file with the hashes of API keys. It is loaded again when it changes; an invalid change is
 * ignored.
 * @throws an error named ConfigError that names the invalid entry
 */
export async function openApiKeys(options: ApiKeysOptions): Promise<ApiKeys> {
  const { path, readFile, now, refuse, sleep, log, isEqual = timingSafeEqual } = options;
  const variable = { name: 'API_KEYS_FILE', path };
  const keys = await openReloadedValue<ApiKey[]>({
    what: 'API keys',
    read: () => readNamedFile(variable, readFile),
    load: (text) => readApiKeys(variable, () => text),
    sleep,
    log,
  });
  return {
    verify(text) {
      // Node decodes header bytes as latin1. Encoded back, a key has the same hash as in a shell.
      const hash = createHash('sha256').update(text, 'latin1').digest();
      let found: ApiKey | undefined;
      // Compares with every key, so that the duration reveals nothing about a guess.
      for (const key of keys.current()) if (isEqual(hash, key.hash)) found = key;
      if (!found) throw refuse('no such key');
      const { principal, expiresAt } = found;
      if (expiresAt <= now()) throw refuse(`the key of ${principal.subject} has expired`);
      return principal;
    },
    findSigningKey(name) {
      const key = keys.current().find(({ principal }) => principal.subject === name);
      if (key?.wire === undefined) return undefined;
      return { principal: key.principal, version: key.wire, isExpired: key.expiresAt <= now() };
    },
    [Symbol.asyncDispose]: () => keys[Symbol.asyncDispose](),
  };
}

/** Reads the file of API keys. @throws an error named ConfigError */
export function readApiKeys(variable: FileVariable, readFile: (path: string) => string): ApiKey[] {
  const entries = readSettingsFile(variable, ApiKeysFile, readFile);
  const [names, hashes] = [new Set<string>(), new Set<string>()];
  return entries.map((entry, index) => {
    const { name, groups = [], wire } = entry;
    const sha256 = entry.sha256.toLowerCase();
    if (names.has(name)) {
      throw fileError(
        variable,
        `/${index}/name is ${JSON.stringify(name)}, which another entry has, too; give each key its own name.`,
      );
    }
    if (hashes.has(sha256)) {
      throw fileError(
        variable,
        `/${index}/sha256 is the same as in another entry; list each key once.`,
      );
    }
    if (name === tokenKeyId && wire !== undefined) {
      throw fileError(
        variable,
        `/${index}/name is ${JSON.stringify(name)}, which is the access key id of callers with a token; give a key with wire another name.`,
      );
    }
    names.add(name);
    hashes.add(sha256);
    return {
      hash: Buffer.from(sha256, 'hex'),
      expiresAt: readExpiry(variable, index, entry),
      principal: { id: `api-key#${name}`, issuer: 'api-key', subject: name, groups, claims: {} },
      wire,
    };
  });
}

function readExpiry(
  variable: FileVariable,
  index: number,
  { expiresAt }: Static<typeof ApiKeysFile>[number],
): number {
  if (expiresAt === undefined) return Number.POSITIVE_INFINITY;
  const read = readInstant(expiresAt);
  if ('at' in read) return read.at;
  throw fileError(variable, `/${index}/expiresAt ${read.detail}.`);
}
