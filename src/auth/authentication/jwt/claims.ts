import type { JWTPayload } from 'jose';

import type { Principal } from '../../principal.ts';
import type { IssuerSettings } from '../settings.ts';

// They differ in each token: with them, every token would look like a new caller. Policies do not need them.
const omittedClaims = new Set(['exp', 'iat', 'nbf', 'jti']);
const maxClaimDepth = 3;
const maxClaims = 100;
const maxTextLength = 1_000;
// Issuer, subject and Idempotency-Key form the key of a row; PostgreSQL limits it to 2.7 kB.
const maxSubjectBytes = 512;

type Claims = Record<string, readonly string[]>;

/** Returns the caller of a verified token; undefined if its subject is not a valid name. */
export function principalOfClaims(
  { issuer, groupsClaim = 'groups' }: IssuerSettings,
  payload: JWTPayload,
): Principal | undefined {
  const { sub: subject } = payload;
  if (typeof subject !== 'string' || subject === '' || !isPlain(subject)) return undefined;
  if (Buffer.byteLength(subject) > maxSubjectBytes) return undefined;
  const all: Claims = Object.fromEntries(flatten(payload, '', 1));
  const claims = Object.fromEntries(Object.entries(all).slice(0, maxClaims));
  return { id: `${issuer}#${subject}`, issuer, subject, groups: all[groupsClaim] ?? [], claims };
}

/** Whether a token has one of the accepted audiences. */
export function hasAcceptedAudience(
  { audiences, audienceClaim = 'aud' }: IssuerSettings,
  payload: JWTPayload,
): boolean {
  const named = [payload[audienceClaim]].flat();
  return audiences.some((audience) => named.includes(audience));
}

/** Yields each claim as a list of texts; members of objects have a path such as `realm_access.roles`. */
function* flatten(value: object, path: string, depth: number): Generator<[string, string[]]> {
  for (const [name, member] of Object.entries(value)) {
    if (depth === 1 && omittedClaims.has(name)) continue;
    if (typeof member === 'object' && member !== null && !Array.isArray(member)) {
      if (depth < maxClaimDepth) yield* flatten(member, `${path}${name}.`, depth + 1);
      continue;
    }
    const texts = [member].flat().filter(isSimple).map(String);
    const valid = texts.filter((text) => text.length <= maxTextLength && isPlain(text));
    if (valid.length > 0) yield [`${path}${name}`, valid];
  }
}

function isSimple(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

// Databases, terminals and policies fail on control characters and lone surrogates.
function isPlain(text: string): boolean {
  return !/[\p{Cc}\p{Cs}]/u.test(text);
}
