import { hash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { signatureFaultOf } from '#auth/authentication/signature/refusals.ts';
import { makeUnverifiedSignatures } from '#auth/authentication/signature/signatures.ts';
import { makeWireKey } from '#auth/authentication/signature/wire-key.ts';
import { anonymous } from '#auth/principal.ts';
import { Problem } from '#problems/problem.ts';
import { temporaryDir } from '../../../database/homes.ts';
import { type Guard, openGuard, requestWith, settingsOf } from '../../guard.ts';
import { type Issuer, openIssuer } from '../../issuer.ts';
import { type Signed, sign, type Unsigned } from './sign.ts';

const wireSecret = 'the secret of this test, 32 characters';
const previousSecret = 'the secret before, also 32 characters';
const now = Date.UTC(2026, 10, 26, 12);
const basePath = '/logs';
const callers = [
  { name: 'checkout', wire: 3, groups: ['team-a'] },
  { name: 'unsigned' },
  { name: 'expired', wire: 1, expiresAt: '2026-11-26T11:59:59Z' },
];

let issuer: Issuer;
let guard: Guard;
beforeAll(async () => {
  const apiKeysFile = join(temporaryDir(afterAll), 'api-keys.json');
  const entries = callers.map((caller) => ({ ...caller, sha256: hash('sha256', caller.name) }));
  writeFileSync(apiKeysFile, JSON.stringify(entries));
  issuer = await openIssuer({ now: () => now });
  guard = await openGuard(
    {
      methods: ['api-key', 'jwt'],
      issuers: [settingsOf(issuer)],
      apiKeysFile,
      signatures: { secrets: [wireSecret, previousSecret], basePath },
    },
    { now: () => now },
  );
});
afterAll(async () => {
  await guard[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

/** A request of `checkout`, signed as its client would: with the public path. */
const signed = (changes: Partial<Unsigned> = {}): Signed => {
  const key = makeWireKey(wireSecret, 'checkout', 3);
  return sign({ ...key, at: now, path: `${basePath}/aws/main`, ...changes });
};

/** A request as the service gets it. */
const received = ({ headers, path }: Signed, changes: Record<string, string[]> = {}) => {
  const values = { ...Object.fromEntries(Object.entries(headers).map(([n, v]) => [n, [v]])) };
  const raw = Object.entries({ ...values, ...changes }).flatMap(([name, all]) =>
    all.flatMap((value) => [name, value]),
  );
  return requestWith(raw, path.replace(basePath, ''));
};

/** Authenticates a request; returns the caller, or the fault and the text of the refusal. */
async function authenticate(request: IncomingMessage, body = '{}'): Promise<unknown> {
  const { signatures } = guard;
  if (!signatures) throw new Error('no signatures');
  try {
    const read = await signatures.read(request);
    return signatures.verify(request, read, Buffer.from(body)).id;
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return [signatureFaultOf(error), error.detail];
  }
}

const invalidSignature = [
  'invalid-signature',
  expect.stringMatching(/^The request signature we calculated does not match/),
];
const invalidKey = ['invalid-key', 'The security token included in the request is invalid.'];

describe('a signed request', () => {
  test('has the caller of its key', async () => {
    expect(await authenticate(received(signed()))).toBe('api-key#checkout');
  });

  test('states its key, Region, signature and invocation id', async () => {
    const request = received(signed(), { 'amz-sdk-invocation-id': ['0191d2f0-7a57'] });
    const read = await guard.signatures?.read(request);

    const signature = /Signature=(\w{64})$/.exec(signed().headers.authorization ?? '')?.[1];
    expect(read).toEqual({
      accessKeyId: 'checkout',
      region: 'eu-west-1',
      signature,
      invocationId: '0191d2f0-7a57',
      claimedCallerId: 'api-key#checkout',
    });
  });

  test.each([
    ['repeated', ['a', 'b']],
    ['empty', ['']],
    ['too long', ['x'.repeat(129)]],
    ['of other characters', ['a b']],
  ])('has no invocation id if it is %s', async (_how, values) => {
    const read = await guard.signatures?.read(
      received(signed(), { 'amz-sdk-invocation-id': values }),
    );

    expect(read).not.toHaveProperty('invocationId');
  });

  test('is accepted with the secret before, and not with another version', async () => {
    const before = makeWireKey(previousSecret, 'checkout', 3);
    const revoked = makeWireKey(wireSecret, 'checkout', 2);

    expect(await authenticate(received(signed(before)))).toBe('api-key#checkout');
    expect(await authenticate(received(signed(revoked)))).toEqual(invalidSignature);
  });

  test.each<[string, Partial<Unsigned>, string?]>([
    ['another secret', { secretAccessKey: 'wrong' }],
    [
      'the secret of another caller',
      { ...makeWireKey(wireSecret, 'expired', 3), accessKeyId: 'checkout' },
    ],
    ['another body', {}, '{ }'],
    ['the path that the proxy has stripped', { path: '/aws/main' }],
    ['an unsigned body', { bodyHash: 'UNSIGNED-PAYLOAD' }],
  ])('is rejected with %s', async (_what, changes, body) => {
    expect(await authenticate(received(signed(changes)), body)).toEqual(invalidSignature);
  });

  test.each(['host', 'x-amz-date', 'x-amz-target', 'x-amz-security-token'])(
    'is rejected if %s is not signed',
    async (name) => {
      const headers = { 'x-amz-security-token': 'a token' };
      const all = ['content-type', 'host', 'x-amz-date', 'x-amz-security-token', 'x-amz-target'];
      const signedHeaders = all.filter((one) => one !== name);

      expect(await authenticate(received(signed({ headers, signedHeaders })))).toEqual([
        'invalid-signature',
        `'${name}' must be a 'SignedHeader' in the AWS Authorization.`,
      ]);
    },
  );

  test.each<[string, Record<string, string[]>]>([
    ['another target', { 'x-amz-target': ['Logs_20140328.CreateExportTask'] }],
    ['another host', { host: ['other'] }],
    ['a missing signed header', { 'content-type': [] }],
    ['a second target', { 'x-amz-target': ['Logs_20140328.DescribeExportTasks', 'b'] }],
    ['the same signed header twice', { host: ['gateway', 'gateway'] }],
    ['an empty target', { 'x-amz-target': [''] }],
  ])('is rejected when somebody has put in %s', async (_what, changes) => {
    const [fault] = (await authenticate(received(signed(), changes))) as [string];

    expect(fault).toBe('invalid-signature');
  });

  test.each<[string, string[]]>([
    ['is not sorted', ['x-amz-date', 'host', 'x-amz-target']],
    ['has a name twice', ['host', 'host', 'x-amz-date', 'x-amz-target']],
    ['has an empty name', ['', 'host', 'x-amz-date', 'x-amz-target']],
  ])('is rejected if the list of signed headers %s', async (_how, signedHeaders) => {
    const [fault] = (await authenticate(received(signed({ signedHeaders })))) as [string];

    expect(fault).toBe('invalid-signature');
  });

  test('may have names of headers in any case, and spaces around values', async () => {
    const request = signed({ headers: { 'x-note': 'a b' } });
    const { host = '', 'x-note': _note, ...others } = request.headers;
    const headers = { Host: host, 'X-NOTE': '  a   b ', ...others };

    expect(await authenticate(received({ ...request, headers }))).toBe('api-key#checkout');
  });

  test.each<[string, (value: string) => string[]]>([
    ['a second one', (value) => [value, value]],
    ['a Bearer token', () => ['Bearer abc']],
    ['names in upper case', (value) => [value.replace('host', 'Host')]],
    ['no credential', (value) => [value.replace(/Credential=\S+ /, '')]],
    ['a credential without a Region', (value) => [value.replace('/eu-west-1', '')]],
    ['something behind it', (value) => [`${value}, Signature=${'0'.repeat(64)}`]],
    ['a short signature', (value) => [value.slice(0, -1)]],
    ['a signature in upper case', (value) => [value.replace(/\w+$/, (hex) => hex.toUpperCase())]],
    ['another algorithm', (value) => [value.replace('SHA256', 'SHA1')]],
    ['the algorithm of many Regions', (value) => [value.replace('AWS4', 'AWS4-ECDSA')]],
    ['nothing in it', () => ['']],
  ])('is rejected if its Authorization header has %s', async (_what, change) => {
    const request = signed();
    const authorization = change(request.headers.authorization ?? '');
    const [fault] = (await authenticate(received(request, { authorization }))) as [string];

    expect(fault).toBe('malformed');
  });

  test('is rejected with an API key beside the signature', async () => {
    const request = received(signed(), { 'x-api-key': ['checkout'] });

    expect(await authenticate(request)).toEqual([
      'malformed',
      'The request must have exactly one credential.',
    ]);
  });

  test('is valid with an empty query, which some clients add', async () => {
    const { path, ...request } = signed();

    expect(await authenticate(received({ ...request, path: `${path}?` }))).toBe('api-key#checkout');
  });

  test('is rejected with its signature in the query', async () => {
    const { authorization: _none, ...headers } = signed().headers;
    const query = '?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00';
    const presigned = received({ ...signed(), headers, path: `/aws/main${query}` });
    const both = received({ ...signed(), path: `/aws/main${query}` });

    expect(await authenticate(presigned)).toEqual(['missing', 'Missing Authentication Token']);
    expect(await authenticate(both)).toEqual([
      'invalid-signature',
      'A signed request must have no query.',
    ]);
  });

  test('is rejected for another service', async () => {
    expect(await authenticate(received(signed({ service: 's3' })))).toEqual([
      'invalid-signature',
      "Credential should be scoped to correct service: 'logs'.",
    ]);
  });

  test.each([
    ['unknown', 'nobody'],
    ['a key that may not sign', 'unsigned'],
    ['a prefix of a key', 'check'],
  ])('is rejected if its key is %s', async (_how, accessKeyId) => {
    expect(await authenticate(received(signed({ accessKeyId })))).toEqual(invalidKey);
  });

  test('is rejected if its key has expired', async () => {
    const key = makeWireKey(wireSecret, 'expired', 1);

    expect(await authenticate(received(signed(key)))).toEqual([
      'expired-key',
      'The security token included in the request is expired',
    ]);
  });

  test('is rejected if a key comes with a session token', async () => {
    const headers = { 'x-amz-security-token': 'of another account' };

    expect(await authenticate(received(signed({ headers })))).toEqual(invalidKey);
  });
});

describe('the time of a signature', () => {
  const minutes = 60_000;

  test.each([-15 * minutes, -1, 0, 15 * minutes])('may differ by %i ms', async (skew) => {
    // X-Amz-Date has whole seconds.
    expect(await authenticate(received(signed({ at: now + skew + 1 })))).toBe('api-key#checkout');
  });

  test('is rejected if it is too early or too late, with the texts of AWS', async () => {
    const early = received(signed({ at: now - 15 * minutes - 1 }));
    const late = received(signed({ at: now + 15 * minutes + 1_000 }));

    expect(await authenticate(early)).toEqual([
      'invalid-signature',
      'Signature expired: 20261126T114459Z is now earlier than 20261126T114500Z (20261126T120000Z - 15 min.)',
    ]);
    expect(await authenticate(late)).toEqual([
      'invalid-signature',
      'Signature not yet current: 20261126T121501Z is still later than 20261126T121500Z (20261126T120000Z + 15 min.)',
    ]);
  });

  test.each([
    '20261126T116000Z',
    '20261326T120000Z',
    '20261126T120000',
    '',
    '2026-11-26T12:00:00Z',
  ])('is rejected if it is %o', async (date) => {
    const [fault] = (await authenticate(received(signed({ date })))) as [string];

    expect(['invalid-signature', 'malformed']).toContain(fault);
  });

  test('is rejected if the day of the credential is another one', async () => {
    const request = signed();
    const authorization = [request.headers.authorization?.replace('20261126', '20261125') ?? ''];
    const [, text] = (await authenticate(received(request, { authorization }))) as string[];

    expect(text).toBe(
      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261125' != '20261126', from '20261126T120000Z'.",
    );
  });
});

describe('a token as session token', () => {
  const withToken = (token: string) =>
    received(
      signed({
        accessKeyId: 'jwt',
        secretAccessKey: 'any',
        headers: { 'x-amz-security-token': token },
      }),
    );

  test('has the caller of the token', async () => {
    const request = withToken(issuer.token());

    expect(await authenticate(request)).toBe(`${issuer.url}#alice`);
  });

  test('is rejected without a token, or with one that is not accepted', async () => {
    const none = signed({ accessKeyId: 'jwt', secretAccessKey: 'any' });

    expect(await authenticate(received(none))).toEqual(invalidKey);
    expect(await authenticate(withToken('no.valid.token'))).toEqual(invalidKey);
  });

  test('is rejected when it has expired', async () => {
    const request = withToken(issuer.token({ exp: now / 1_000 - 3_600 }));

    expect(await authenticate(request)).toEqual([
      'expired-key',
      'The security token included in the request is expired',
    ]);
  });
});

test('without authentication, any signature is accepted if it has the right form', async () => {
  const signatures = makeUnverifiedSignatures(anonymous);
  const request = received(signed({ secretAccessKey: 'wrong', at: 0 }));

  const read = await signatures.read(request);

  expect(read).toMatchObject({ accessKeyId: 'checkout', region: 'eu-west-1' });
  expect(signatures.verify(request, read, Buffer.alloc(0))).toBe(anonymous);
  await expect(signatures.read(requestWith([]))).rejects.toThrow('Missing Authentication Token');
});
