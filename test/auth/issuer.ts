import { constants, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The algorithms that tests sign with. */
export type Algorithm = keyof typeof algorithms;

const rsa = () => generateKeyPairSync('rsa', { modulusLength: 2_048 });
const pkcs1 = (bits: number) => (data: Buffer, key: KeyObject) => sign(`sha${bits}`, data, key);
const pss = (bits: number) => (data: Buffer, key: KeyObject) =>
  sign(`sha${bits}`, data, {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: bits / 8,
  });
const ec = (namedCurve: string, bits: number) => ({
  generate: () => generateKeyPairSync('ec', { namedCurve }),
  sign: (data: Buffer, key: KeyObject) =>
    sign(`sha${bits}`, data, { key, dsaEncoding: 'ieee-p1363' }),
});

// Implemented again from RFC 7518: the code that makes tokens shares nothing with the code that checks them.
const algorithms = {
  RS256: { generate: rsa, sign: pkcs1(256) },
  RS384: { generate: rsa, sign: pkcs1(384) },
  RS512: { generate: rsa, sign: pkcs1(512) },
  PS256: { generate: rsa, sign: pss(256) },
  PS384: { generate: rsa, sign: pss(384) },
  PS512: { generate: rsa, sign: pss(512) },
  ES256: ec('P-256', 256),
  ES384: ec('P-384', 384),
  ES512: ec('P-521', 512),
  EdDSA: {
    generate: () => generateKeyPairSync('ed25519'),
    sign: (data: Buffer, key: KeyObject) => sign(null, data, key),
  },
};

/** A key to sign with. */
export interface SigningKey {
  kid: string;
  alg: Algorithm;
  privateKey: KeyObject;
  publicKey: KeyObject;
}

/** Makes a key that no issuer publishes. */
export function makeKey(alg: Algorithm): SigningKey {
  const { privateKey, publicKey } = algorithms[alg].generate();
  return { kid: randomUUID(), alg, privateKey, publicKey };
}

/** Signs a payload as a compact token: text unchanged, an object as JSON. */
export function signToken(header: object | string, payload: object | string, key: SigningKey) {
  const input = `${toPart(header)}.${toPart(payload)}`;
  const signature = algorithms[key.alg].sign(Buffer.from(input), key.privateKey);
  return `${input}.${signature.toString('base64url')}`;
}

/** A part of a token, in base64url. */
export function toPart(content: object | string): string {
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return Buffer.from(text).toString('base64url');
}

/** How a token differs from a normal one. */
interface TokenOptions {
  alg?: Algorithm;
  /** Additional header members, or replacements of alg, kid and typ; undefined removes one. */
  header?: Record<string, unknown>;
  /** Signs with this key instead of the issuer's. */
  key?: SigningKey;
}

/** A token issuer on this machine: discovery document, JWKS and tokens. */
export interface Issuer extends AsyncDisposable {
  /** The `iss` of its tokens. */
  url: string;
  /**
   * A normal token for `alice` with the audience `log-export-gateway`, valid for an hour. `claims` adds or
   * replaces claims; undefined removes one.
   */
  token(claims?: Record<string, unknown>, options?: TokenOptions): string;
  /** The current signing key. */
  key(alg?: Algorithm): SigningKey;
  /** Signs with a new key; the old one stays published. */
  rotate(alg?: Algorithm): void;
  /** Publishes only the current keys. */
  removeOldKeys(): void;
  /** Ends connections without an answer. */
  goDown(): void;
  goUp(): void;
  /** Replaces the answers of the issuer; undefined restores them. */
  play(answer: ((request: IncomingMessage, response: ServerResponse) => void) | undefined): void;
  /** The number of requests for its JWKS, including failed ones. */
  fetches(): number;
  /** All its requests, including discovery. */
  requests: { path: string; authorization: string | undefined }[];
}

/** Opens an issuer on a free port; `now` is its clock, in epoch ms. */
export async function openIssuer({ now = Date.now } = {}): Promise<Issuer> {
  const signing = new Map<Algorithm, SigningKey>();
  let published: SigningKey[] = [];
  let isDown = false;
  let answerInstead: Parameters<Issuer['play']>[0];
  const requests: Issuer['requests'] = [];

  const server = createServer((request, response) => {
    const path = request.url ?? '';
    requests.push({ path, authorization: request.headers.authorization });
    if (isDown) return void response.socket?.destroy();
    if (answerInstead) return answerInstead(request, response);
    const document = documents()[path];
    response.writeHead(document ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  // Closing an idle connection while it is used again would be an unintended outage.
  server.keepAliveTimeout = 600_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const documents = (): Record<string, object> => ({
    '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys` },
    '/keys': {
      keys: published.map(({ kid, alg, publicKey }) => ({
        ...publicKey.export({ format: 'jwk' }),
        kid,
        alg,
        use: 'sig',
      })),
    },
  });

  const rotate = (alg: Algorithm = 'ES256') => {
    const made = makeKey(alg);
    signing.set(alg, made);
    published.push(made);
    return made;
  };
  const keyOf = (alg: Algorithm = 'ES256') => signing.get(alg) ?? rotate(alg);
  rotate();

  return {
    url,
    requests,
    token(claims = {}, { alg = 'ES256', header = {}, key = keyOf(alg) } = {}) {
      const second = Math.floor(now() / 1_000);
      const usual = { iss: url, aud: 'log-export-gateway', sub: 'alice' };
      const times = { iat: second, exp: second + 3_600 };
      return signToken(
        { alg: key.alg, kid: key.kid, typ: 'JWT', ...header },
        { ...usual, ...times, ...claims },
        key,
      );
    },
    key: keyOf,
    rotate: (alg) => void rotate(alg),
    removeOldKeys() {
      published = [...signing.values()];
    },
    goDown() {
      isDown = true;
    },
    goUp() {
      isDown = false;
    },
    play(answer) {
      answerInstead = answer;
    },
    fetches: () => requests.filter(({ path }) => path === '/keys').length,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
