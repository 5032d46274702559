import { hash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';

import { Problem } from '#problems/problem.ts';
import type { Principal } from '../../principal.ts';
import type { Verify } from '../combine-methods.ts';
import type { IssuerSettings } from '../settings.ts';
import { hasAcceptedAudience, principalOfClaims } from './claims.ts';
import type { FoundKey, IssuerKeys } from './issuer-keys.ts';
import { makeTokenCache } from './token-cache.ts';

/** An issuer and its keys. */
interface Issuer {
  settings: IssuerSettings;
  keys: IssuerKeys;
}

/** What tokens are verified with. */
export interface TokensOptions {
  issuers: readonly Issuer[];
  /** Epoch ms. */
  now: () => number;
  refuse: (reason: string) => Error;
}

// Asymmetric signatures only: with HS256 every verifier could sign, and `none` is no signature.
const algorithms = ['RS', 'PS', 'ES'].flatMap((kind) => [256, 384, 512].map((bits) => kind + bits));
algorithms.push('EdDSA');
// Tokens with another purpose (logout+jwt, dpop+jwt) name it. RFC 8725, section 3.11.
const types = [undefined, 'jwt', 'at+jwt', 'application/jwt', 'application/at+jwt'];
// Lower: tokens of an issuer whose clock differs are refused. Higher: tokens outlive their `exp` longer.
const leewaySeconds = 60;
const lastInstant = 8_640_000_000_000; // in seconds; JavaScript has no later dates

// A verification costs some 0.1 ms of CPU and a hop to another thread. Higher: no further gain. Removed
// keys and the expiry are checked at every request in any case.
const maxCacheMs = 60_000;

interface Verified {
  principal: Principal;
  issuer: Issuer;
  /** The key set it was verified with. The entry expires with that set. */
  keys: unknown;
  until: number;
  length: number;
}

/** Makes the verifier of tokens. Its refusal is the same for every fault. */
export function makeTokens({ issuers, now, refuse }: TokensOptions): Verify {
  const byName = new Map(issuers.map((issuer) => [issuer.settings.issuer, issuer]));
  const cache = makeTokenCache<Verified>(now);

  async function verify(token: string): Promise<Verified> {
    if (!isCanonical(token)) throw refuse('not three parts in base64url');
    // Not verified yet: it only selects one of the configured issuers.
    const issuer = byName.get(decodeJwt(token).iss ?? '');
    if (!issuer) throw refuse('unknown issuer');
    const { payload, keys } = await verifySignature(token, issuer);
    const { exp = Number.POSITIVE_INFINITY } = payload;
    if (exp > lastInstant) throw refuse('no expiry');
    if (!hasAcceptedAudience(issuer.settings, payload)) throw refuse('wrong audience');
    const principal = principalOfClaims(issuer.settings, payload);
    if (!principal) throw refuse('invalid subject');
    const until = Math.min(now() + maxCacheMs, exp * 1_000);
    return { principal, issuer, keys, until, length: token.length };
  }

  async function verifySignature(token: string, { settings, keys }: Issuer) {
    const { kid, typ } = decodeProtectedHeader(token);
    if (typeof kid !== 'string') throw refuse('no key id');
    if (!types.includes(typ?.toLowerCase())) throw refuse('wrong type');
    let found: FoundKey | undefined;
    const find: JWTVerifyGetKey = async (...args) => {
      found = await keys.find(...args);
      return found.key;
    };
    const { payload } = await jwtVerify(token, find, {
      algorithms,
      issuer: settings.issuer,
      clockTolerance: leewaySeconds,
      currentDate: new Date(now()),
    });
    return { payload, keys: found?.set };
  }

  return async (token) => {
    const digest = hash('sha256', token, 'base64'); // so that no token stays in memory
    const known = cache.get(digest);
    if (known && known.keys === known.issuer.keys.current()) return known.principal;
    try {
      const verified = await verify(token);
      cache.add(digest, verified);
      return verified.principal;
    } catch (error) {
      throw error instanceof Problem ? error : refuse(reasonOf(error));
    }
  };
}

// Each token has one spelling. jose ignores padding and unused bits.
function isCanonical(token: string): boolean {
  const parts = token.split('.');
  const isBase64Url = (part: string) =>
    Buffer.from(part, 'base64url').toString('base64url') === part;
  return parts.length === 3 && parts.every(isBase64Url);
}

/** Whether a refused token was valid once. */
export function isExpiry(reason: string): boolean {
  return reason === 'ERR_JWT_EXPIRED exp';
}

/** Why jose refused a token: the code and the claim. Messages of jose may quote the token. */
function reasonOf(error: unknown): string {
  if (!(error instanceof errors.JOSEError)) return 'unreadable';
  const { code, claim } = error as { code: string; claim?: string };
  return claim === undefined ? code : `${code} ${claim}`;
}
