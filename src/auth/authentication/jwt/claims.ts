import type { JWTPayload } from 'jose';

import type { Principal } from '../../principal.ts';
import type { IssuerSettings } from '../settings.ts';

// Of each token, and of no use to policies: they would make every caller new at every token.
const leftOut = new Set(['exp', 'iat', 'nbf', 'jti']);
const deepestClaim = 3;
const maxClaims = 100;
const longestText = 1_000;
// With the issuer and an Idempotency-Key it is the key of a row, which PostgreSQL wants below 2.7 kB.
const longestSubjectBytes = 512;

type Claims = Record<string, readonly string[]>;

/** The caller a verified token speaks of; undefined when its subject can be nobody's name. */
export function principalOfClaims(
  { issuer, groupsClaim = 'groups' }: IssuerSettings,
  payload: JWTPayload,
): Principal | undefined {
  const { sub: subject } = payload;
  if (typeof subject !== 'string' || subject === '' || !isPlain(subject)) return undefined;
  if (Buffer.byteLength(subject) > longestSubjectBytes) return undefined;
  const all: Claims = Object.fromEntries(flatten(payload, '', 1));
  const claims = Object.fromEntries(Object.entries(all).slice(0, maxClaims));
  return { id: `${issuer}#${subject}`, issuer, subject, groups: all[groupsClaim] ?? [], claims };
}

/** Whether a token is meant for us. */
export function isMeantForUs(
  { audiences, audienceClaim = 'aud' }: IssuerSettings,
  payload: JWTPayload,
): boolean {
  const named = [payload[audienceClaim]].flat();
  return audiences.some((audience) => named.includes(audience));
}

/** Each claim as a list of texts; members of objects under their path, as in `realm_access.roles`. */
function* flatten(value: object, path: string, depth: number): Generator<[string, string[]]> {
  for (const [name, member] of Object.entries(value)) {
    if (depth === 1 && leftOut.has(name)) continue;
    if (typeof member === 'object' && member !== null && !Array.isArray(member)) {
      if (depth < deepestClaim) yield* flatten(member, `${path}${name}.`, depth + 1);
      continue;
    }
    const texts = [member].flat().filter(isSimple).map(String);
    const good = texts.filter((text) => text.length <= longestText && isPlain(text));
    if (good.length > 0) yield [`${path}${name}`, good];
  }
}

function isSimple(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

// Control characters and lone surrogates: databases, terminals and policies downstream choke on them.
function isPlain(text: string): boolean {
  return !/[\p{Cc}\p{Cs}]/u.test(text);
}
