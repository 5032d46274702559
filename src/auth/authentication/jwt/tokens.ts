import { hash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';

import { setAsNewest } from '#caching/bounded-map.ts';
import { Problem } from '#problems/problem.ts';
import type { Principal } from '../../principal.ts';
import type { Verify } from '../authenticate.ts';
import type { IssuerSettings } from '../settings.ts';
import { isMeantForUs, principalOfClaims } from './claims.ts';
import type { FoundKey, IssuerKeys } from './issuer-keys.ts';

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

// Signatures of a private key only: with HS256 whoever verifies could sign, and `none` is nobody's.
const algorithms = ['RS', 'PS', 'ES'].flatMap((kind) => [256, 384, 512].map((bits) => kind + bits));
algorithms.push('EdDSA');
// Tokens for something else (logout+jwt, dpop+jwt) name it. RFC 8725, section 3.11.
const types = [undefined, 'jwt', 'at+jwt', 'application/jwt', 'application/at+jwt'];
// Clocks of issuers differ from ours by so much at most; a token lives as much longer than it says.
const leewaySeconds = 60;
const lastInstant = 8_640_000_000_000; // in seconds: later ones are no dates

// A verification costs some 0.1 ms of CPU and a hop to another thread. What is remembered longer
// gains nothing; a withdrawn key or an end is looked for at every request all the same.
const rememberMs = 60_000;
const maxRemembered = 10_000;

interface Verified {
  principal: Principal;
  issuer: Issuer;
  /** The set of keys it was verified with: when that is no longer in force, neither is this. */
  keys: unknown;
  until: number;
}

/** Makes what verifies tokens. Whatever is wrong with one, the answer is the same refusal. */
export function makeTokens({ issuers, now, refuse }: TokensOptions): Verify {
  const byName = new Map(issuers.map((issuer) => [issuer.settings.issuer, issuer]));
  const remembered = new Map<string, Verified>();

  async function verify(token: string): Promise<Verified> {
    if (!isWritten(token)) throw refuse('it is not three parts in base64url');
    // Not verified yet: it decides whose keys are looked at, of those configured, and nothing else.
    const issuer = byName.get(decodeJwt(token).iss ?? '');
    if (!issuer) throw refuse('its issuer is none of ours');
    const { payload, keys } = await verifySignature(token, issuer);
    const { exp = Number.POSITIVE_INFINITY } = payload;
    if (exp > lastInstant) throw refuse('it never expires');
    if (!isMeantForUs(issuer.settings, payload)) throw refuse('it is meant for others');
    const principal = principalOfClaims(issuer.settings, payload);
    if (!principal) throw refuse('its subject is no name');
    return { principal, issuer, keys, until: Math.min(now() + rememberMs, exp * 1_000) };
  }

  async function verifySignature(token: string, { settings, keys }: Issuer) {
    const { kid, typ } = decodeProtectedHeader(token);
    if (typeof kid !== 'string') throw refuse('it does not name its key');
    if (!types.includes(typ?.toLowerCase())) throw refuse('it is of another type');
    let found: FoundKey | undefined;
    const find: JWTVerifyGetKey = async (...question) => {
      found = await keys.find(...question);
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
    const digest = hash('sha256', token, 'base64'); // so that no token is kept
    const known = remembered.get(digest);
    if (known && known.until > now() && known.keys === known.issuer.keys.current()) {
      return known.principal;
    }
    try {
      const verified = await verify(token);
      setAsNewest(remembered, digest, verified, maxRemembered);
      return verified.principal;
    } catch (error) {
      throw error instanceof Problem ? error : refuse(reasonOf(error));
    }
  };
}

// Each token has one spelling. jose reads over padding and over bits that belong to nothing.
function isWritten(token: string): boolean {
  const parts = token.split('.');
  const isBase64Url = (part: string) =>
    Buffer.from(part, 'base64url').toString('base64url') === part;
  return parts.length === 3 && parts.every(isBase64Url);
}

/** Why jose did not take a token: its code, and the claim. Its messages may quote what was sent. */
function reasonOf(error: unknown): string {
  if (!(error instanceof errors.JOSEError)) return 'it cannot be read';
  const { code, claim } = error as { code: string; claim?: string };
  return claim === undefined ? code : `${code} ${claim}`;
}
