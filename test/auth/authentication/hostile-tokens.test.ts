import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { request, talk } from '../../edge/raw.ts';
import { openWorld, type World } from '../../world.ts';
import { type Guard, openGuard, settingsOf } from '../guard.ts';
import { type Issuer, makeKey, openIssuer, signToken, toPart } from '../issuer.ts';

// Ways to break a token, each through real HTTP.

let issuer: Issuer;
let other: Issuer;
let attacker: Awaited<ReturnType<typeof openAttacker>>;
let guard: Guard;
let world: World;
beforeAll(async () => {
  [issuer, other, attacker] = await Promise.all([openIssuer(), openIssuer(), openAttacker()]);
  issuer.rotate('RS256');
  guard = await openGuard({ issuers: [settingsOf(issuer), settingsOf(other)] });
  world = await openWorld({ access: guard.access });
});
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await guard[Symbol.asyncDispose]();
  for (const opened of [issuer, other, attacker]) await opened[Symbol.asyncDispose]();
});

/** A server with a key that tokens point to. It counts its requests. */
async function openAttacker() {
  const key = makeKey('RS256');
  let visits = 0;
  const jwk = { ...key.publicKey.export({ format: 'jwk' }), kid: key.kid, alg: key.alg };
  const server = createServer((_request, response) => {
    visits += 1;
    response.end(JSON.stringify({ keys: [jwk] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  return {
    key,
    jwk,
    url,
    visits: () => visits,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const second = () => Math.floor(Date.now() / 1_000);
const usual = () => ({
  iss: issuer.url,
  aud: 'log-export-gateway',
  sub: 'alice',
  exp: second() + 3_600,
});
const partsOf = (token: string) => token.split('.') as [string, string, string];

/** A token whose signature is an HMAC with a public value as its secret. */
function forgeHmac(secret: string | Buffer, alg = 'HS256'): string {
  const input = `${toPart({ alg, kid: issuer.key('RS256').kid })}.${toPart(usual())}`;
  const hmac = createHmac(`sha${alg.slice(2)}`, secret).update(input);
  return `${input}.${hmac.digest('base64url')}`;
}

/** A token with another `alg` and without a signature. */
function forgeUnsigned(alg: unknown, signature = ''): string {
  return `${toPart({ alg, kid: issuer.key().kid })}.${toPart(usual())}.${signature}`;
}

/** A token of the issuer with this payload, as text. */
const withPayload = (text: string) =>
  signToken({ alg: 'ES256', kid: issuer.key().kid }, text, issuer.key());
const withPayloadMember = (member: string) =>
  withPayload(JSON.stringify({ ...usual(), exp: undefined }).replace('{', `{${member},`));

/** A token that the attacker signed, with the location of the key in its header. */
const pointing = (header: object) =>
  signToken({ alg: 'RS256', kid: attacker.key.kid, ...header }, usual(), attacker.key);

/** A valid token with one flipped bit in one of its parts. */
function flip(part: 0 | 1 | 2, bit: number): string {
  const parts = partsOf(issuer.token());
  const bytes = Buffer.from(parts[part], 'base64url');
  const at = Math.floor(bytes.length / 2);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  parts[part] = bytes.toString('base64url');
  return parts.join('.');
}

const publicKey = () => issuer.key('RS256').publicKey;
const claim = (claims: object) => () => issuer.token({ ...claims });
const header = (members: object) => () => issuer.token({}, { header: { ...members } });

const forged: [name: string, token: () => string][] = [
  ['alg none', () => forgeUnsigned('none')],
  ['alg None', () => forgeUnsigned('None')],
  ['alg NONE', () => forgeUnsigned('NONE')],
  ['alg nOnE', () => forgeUnsigned('nOnE')],
  ['alg none beside a signature', () => forgeUnsigned('none', partsOf(issuer.token())[2])],
  ['no alg', header({ alg: undefined })],
  ['an empty alg', header({ alg: '' })],
  ['alg null', header({ alg: null })],
  ['a list of algs', header({ alg: ['ES256'] })],
  ['alg in small letters', header({ alg: 'es256' })],
  ['an alg of another kind of key', header({ alg: 'RS256' })],
  ['an alg of another hash', header({ alg: 'ES384' })],
  [
    'HS256 under the public key as PEM',
    () => forgeHmac(publicKey().export({ type: 'spki', format: 'pem' })),
  ],
  [
    'HS256 under the public key as DER',
    () => forgeHmac(publicKey().export({ type: 'spki', format: 'der' })),
  ],
  [
    'HS256 under the public key as PKCS 1',
    () => forgeHmac(publicKey().export({ type: 'pkcs1', format: 'pem' })),
  ],
  [
    'HS256 under the public key as JWK',
    () => forgeHmac(JSON.stringify(publicKey().export({ format: 'jwk' }))),
  ],
  [
    'HS512 under the public key as PEM',
    () => forgeHmac(publicKey().export({ type: 'spki', format: 'pem' }), 'HS512'),
  ],
  ['HS256 under nothing', () => forgeHmac('')],
  ['jku to a key of its own', () => pointing({ jku: attacker.url })],
  ['jku, with the id of a good key', () => pointing({ jku: attacker.url, kid: issuer.key().kid })],
  ['x5u to a certificate of its own', () => pointing({ x5u: attacker.url })],
  ['jwk, a key brought along', () => pointing({ jwk: attacker.jwk })],
  [
    'x5c, a certificate brought along',
    () => pointing({ x5c: [attacker.key.publicKey.export({ type: 'spki', format: 'der' })] }),
  ],
  ['a kid that is a URL', () => pointing({ kid: attacker.url })],
  ['a kid that climbs to /dev/null', header({ kid: '../../../../dev/null' })],
  ['a kid with SQL', header({ kid: "x' UNION SELECT 'key'; --" })],
  ['a kid with NUL', () => issuer.token({}, { header: { kid: `${issuer.key().kid}\0` } })],
  ['no kid', header({ kid: undefined })],
  ['an empty kid', header({ kid: '' })],
  ['a list of kids', () => issuer.token({}, { header: { kid: [issuer.key().kid] } })],
  ['a kid that is a number', header({ kid: 7 })],
  ['a huge kid', header({ kid: 'x'.repeat(5_000) })],
  ['the kid __proto__', header({ kid: '__proto__' })],
  ['the kid of another key', () => issuer.token({}, { header: { kid: issuer.key('RS256').kid } })],
  ['another aud', claim({ aud: 'payments' })],
  ['no aud', claim({ aud: undefined })],
  ['many auds without us', claim({ aud: ['payments', 'orders'] })],
  ['no aud in a list', claim({ aud: [] })],
  ['the beginning of aud', claim({ aud: 'log-export' })],
  ['more than aud', claim({ aud: 'log-export-gateway.evil' })],
  ['aud in other letters', claim({ aud: 'Log-Export-Gateway' })],
  ['all auds in one text', claim({ aud: 'payments log-export-gateway' })],
  ['aud inside an object', claim({ aud: { 'log-export-gateway': true } })],
  ['aud a list too deep', claim({ aud: [['log-export-gateway']] })],
  ['an unknown iss', claim({ iss: 'https://evil.example' })],
  ['no iss', claim({ iss: undefined })],
  ['iss with a slash at its end', () => issuer.token({ iss: `${issuer.url}/` })],
  ['iss in capitals', () => issuer.token({ iss: issuer.url.toUpperCase() })],
  ['iss with a path', () => issuer.token({ iss: `${issuer.url}/realm` })],
  ['iss with a fragment', () => issuer.token({ iss: `${issuer.url}#alice` })],
  ['a list of isses', () => issuer.token({ iss: [issuer.url] })],
  ['iss __proto__', claim({ iss: '__proto__' })],
  ['the name of another issuer we trust', () => issuer.token({ iss: other.url })],
  ['the key of another issuer we trust', () => issuer.token({}, { key: other.key() })],
  [
    'the key of another issuer under the id of ours',
    () => issuer.token({}, { key: { ...other.key(), kid: issuer.key().kid } }),
  ],
  ['nbf ahead', () => issuer.token({ nbf: second() + 120 })],
  ['nbf as text', claim({ nbf: '0' })],
  ['exp past', () => issuer.token({ exp: second() - 120 })],
  ['exp in milliseconds', () => issuer.token({ exp: Date.now() * 1_000 })],
  ['no exp', claim({ exp: undefined })],
  ['exp null', claim({ exp: null })],
  ['exp as text', () => issuer.token({ exp: String(second() + 3_600) })],
  ['exp NaN', () => withPayloadMember('"exp":NaN')],
  ['exp without end', () => withPayloadMember('"exp":1e999')],
  ['exp after the last instant', () => withPayloadMember('"exp":1e18')],
  ['exp 0', claim({ exp: 0 })],
  ['exp twice, the second past', () => withPayloadMember(`"exp":${second() + 3_600},"exp":1`)],
  ['no sub', claim({ sub: undefined })],
  ['an empty sub', claim({ sub: '' })],
  ['sub an object', claim({ sub: { name: 'alice' } })],
  ['sub a number', claim({ sub: 1 })],
  ['sub with NUL', claim({ sub: 'alice\0' })],
  ['sub with a line break', claim({ sub: 'alice\nbob' })],
  ['sub with half a character', () => withPayload(JSON.stringify({ ...usual(), sub: '\ud800' }))],
  ['sub without end', claim({ sub: 'x'.repeat(513) })],
  ['no claims', () => withPayload('{}')],
  ['claims that are a list', () => withPayload('[]')],
  ['claims that are null', () => withPayload('null')],
  ['claims that are no JSON', () => withPayload('{"iss"')],
  [
    'claims that are not UTF-8',
    () => withPayload(Buffer.from('{"iss":"\xff"}', 'latin1').toString()),
  ],
  ['a header that is a list', () => signToken('[]', usual(), issuer.key())],
  ['a header that is no JSON', () => signToken('alg', usual(), issuer.key())],
  ['only its header', () => partsOf(issuer.token())[0]],
  ['only header and claims', () => partsOf(issuer.token()).slice(0, 2).join('.')],
  ['an empty signature', () => `${partsOf(issuer.token()).slice(0, 2).join('.')}.`],
  ['an empty header', () => `.${partsOf(issuer.token()).slice(1).join('.')}`],
  ['empty claims', () => issuer.token().replace(/\..*\./, '..')],
  ['a shorter signature', () => issuer.token().slice(0, -4)],
  ['a longer signature', () => `${issuer.token()}AAAA`],
  ['a shorter header', () => issuer.token().slice(4)],
  ['a fourth part', () => `${issuer.token()}.${partsOf(issuer.token())[2]}`],
  [
    'five parts, as of something encrypted',
    () => `${toPart({ alg: 'dir', enc: 'A256GCM' })}....AA`,
  ],
  ['a dot', () => '.'],
  ['a critical extension', header({ crit: ['evil'], evil: true })],
  ['a critical exp', header({ crit: ['exp'], exp: 1 })],
  ['nothing that is critical', header({ crit: [] })],
  ['claims not in base64url', header({ crit: ['b64'], b64: false })],
  ['the type of a logout token', header({ typ: 'logout+jwt' })],
  ['the type of a proof', header({ typ: 'dpop+jwt' })],
  ['a type that is a number', header({ typ: 1 })],
  ...[0, 3, 7].flatMap((bit): [string, () => string][] => [
    [`bit ${bit} of the header flipped`, () => flip(0, bit)],
    [`bit ${bit} of the claims flipped`, () => flip(1, bit)],
    [`bit ${bit} of the signature flipped`, () => flip(2, bit)],
  ]),
  ['bits behind the signature flipped', () => issuer.token().replace(/.$/, spare)],
  [
    'the signature of another token',
    () => issuer.token().replace(/[^.]*$/, partsOf(issuer.token({ sub: 'bob' }))[2]),
  ],
  [
    'a signature of nothing but zeros',
    () => issuer.token().replace(/[^.]*$/, Buffer.alloc(64).toString('base64url')),
  ],
  [
    'a made-up signature',
    () => issuer.token().replace(/[^.]*$/, randomBytes(64).toString('base64url')),
  ],
  ['padding behind the signature', () => `${issuer.token()}==`],
  ['the other alphabet', () => toOtherAlphabet(issuer.token({ pad: '~?>'.repeat(9) }))],
  [
    'as long as headers may be',
    () =>
      issuer.token(
        { pad: 'x'.repeat(5_700) },
        { key: { ...makeKey('ES256'), kid: issuer.key().kid } },
      ),
  ],
];

/** The same bytes, but with other unused bits in the last character. */
function spare(last: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(last) ^ 1] ?? '';
}

function toOtherAlphabet(token: string): string {
  return token.replaceAll('-', '+').replaceAll('_', '/');
}

const bearer = (token: string) => `Authorization: Bearer ${token}`;
const get = (lines: string[], path = '/export-tasks') =>
  [`GET ${path} HTTP/1.1`, 'Host: gateway', ...lines, '', ''].join('\r\n');

/** Valid tokens in the wrong places. */
const malformed: [name: string, request: (token: string) => string][] = [
  ['two tokens', (token) => get([bearer(token), bearer(issuer.token({ sub: 'bob' }))])],
  ['the same token twice', (token) => get([bearer(token), bearer(token)])],
  [
    'two tokens, with another header between',
    (token) => get([bearer(token), 'X: y', bearer(token)]),
  ],
  ['two tokens with a comma', (token) => get([`${bearer(token)}, Bearer ${token}`])],
  ['two tokens with a space', (token) => get([`${bearer(token)} ${token}`])],
  ['a token in the query', (token) => get([], `/export-tasks?access_token=${token}`)],
  ['a token in the query, too', (token) => get([bearer(token)], `/export-tasks?access_token=x`)],
  [
    'a token in the query, disguised',
    (token) => get([], `/export-tasks?a=b&access%5ftoken=${token}`),
  ],
  ['a token and an API key', (token) => get([bearer(token), 'X-Api-Key: key'])],
  ['an API key where there are none', () => get(['X-Api-Key: key'])],
  ['another scheme', (token) => get([`Authorization: Token ${token}`])],
  ['Basic', () => get(['Authorization: Basic YWxpY2U6c2VjcmV0'])],
  ['no scheme', (token) => get([`Authorization: ${token}`])],
  ['no token', () => get(['Authorization: Bearer'])],
  ['nothing', () => get(['Authorization:'])],
  ['a colon behind the scheme', (token) => get([`Authorization: Bearer: ${token}`])],
  ['no space behind the scheme', (token) => get([`Authorization: Bearer${token}`])],
  ['a tab behind the scheme', (token) => get([`Authorization: Bearer\t${token}`])],
  ['a tab within', (token) => get([bearer(token.replace('.', '.\t'))])],
  ['quotes', (token) => get([`Authorization: Bearer "${token}"`])],
  ['a parameter behind it', (token) => get([`${bearer(token)}; x=y`])],
  ['a byte above ASCII', (token) => get([`${bearer(token)}\xe9`])],
  ['padding within', (token) => get([bearer(token.replace('.', '=.'))])],
];

async function answerTo(bytes: string) {
  const { answers } = await talk(world.port, bytes);
  const [{ status, headers, text } = { status: 0, headers: {}, text: '' }] = answers;
  const { 'www-authenticate': challenge = '' } = headers as Record<string, string>;
  return { status, challenge, body: text.replace(/urn:uuid:[\da-f-]{36}/, 'urn:uuid:…') };
}

test('refuses an algorithm that is not allowed before it searches for a key', async () => {
  const pem = publicKey().export({ type: 'spki', format: 'pem' });
  const tokens = [
    forgeUnsigned('none'),
    forgeHmac(pem),
    issuer.token({}, { header: { alg: 'x' } }),
  ];

  const reasons = await Promise.all(tokens.map((token) => guard.verify(token)));

  expect(reasons).toEqual(Array(3).fill('ERR_JOSE_ALG_NOT_ALLOWED'));
});

test('tests more than sixty different tokens', async () => {
  const tokens = forged.map(([, token]) => token());

  expect(new Set(tokens).size).toBe(forged.length);
  expect(forged.length + malformed.length).toBeGreaterThan(60);
});

test('accepts the token that the forged ones are made of', async () => {
  const answer = await answerTo(get([bearer(issuer.token())]));

  expect([answer.status, world.log.at(-1)?.principal]).toEqual([200, `${issuer.url}#alice`]);
});

describe('refuses a broken token without details:', () => {
  test.for(forged)('%s', async ([, token]) => {
    const reference = await answerTo(get([bearer(issuer.token({ aud: 'payments' }))]));
    const answer = await answerTo(get([bearer(token())]));

    expect(answer.status).toBe(401);
    expect(answer.challenge).toBe('Bearer realm="log-export-gateway", error="invalid_token"');
    expect(answer).toEqual(reference);
    expect(world.log.at(-1)).toMatchObject({ problem: 'unauthenticated', principal: 'anonymous' });
  });

  test('fetches no key from a URL in a token', () => {
    expect(attacker.visits()).toBe(0);
  });

  test('writes nothing of a token to log or audit', () => {
    const refused = world.log.filter(({ status }) => status === 401);
    const told = /alice|payments|evil|UNION|dev.null|eyJ/;

    expect(refused.map(({ reason }) => reason)).toContain('ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
    const audited = world.audit.filter(({ audit }) => audit === 'refusal');
    const lines = [...refused, ...audited].map((line) => JSON.stringify(line));
    expect(audited.length).toBeGreaterThan(0);
    expect(lines.filter((line) => told.test(line))).toEqual([]);
  });
});

describe('refuses a valid token in the wrong place:', () => {
  test.for(malformed)('%s', async ([, bytes]) => {
    const answer = await answerTo(bytes(issuer.token()));

    expect(answer.status).toBe(401);
    expect(answer.challenge).toBe('Bearer realm="log-export-gateway", error="invalid_request"');
    expect(answer.body).toContain('of an accepted kind and in the right form');
    expect(world.log.at(-1)?.principal).toBe('anonymous');
  });
});

test('writes every refusal to the audit with the detail of the answer', () => {
  const refusals = world.audit.filter(({ audit }) => audit === 'refusal');

  expect(refusals.length).toBe(world.log.filter(({ status }) => status === 401).length);
  expect(refusals[0]).toMatchObject({
    requestId: expect.any(String),
    route: '/export-tasks',
    error: 'This service does not accept the token.',
  });
});

test('returns a challenge without error to a request without credentials', async () => {
  const answer = await answerTo(request('GET /export-tasks'));

  expect([answer.status, answer.challenge]).toEqual([401, 'Bearer realm="log-export-gateway"']);
});
