import { createHash, hash } from 'node:crypto';

import type { HeaderValues } from './signed-headers.ts';

/** The parts of a request that its signature covers. */
export interface CanonicalParts {
  /** The path as the client sent it. */
  path: string;
  /** The names of the signed headers, each of which occurs once. */
  signedHeaders: readonly string[];
  headers: HeaderValues;
  body: Uint8Array;
}

/** Returns the SHA-256 of the canonical request of a POST without a query, in hexadecimal. */
export function hashCanonicalRequest({
  path,
  signedHeaders,
  headers,
  body,
}: CanonicalParts): string {
  const lines = signedHeaders.map((name) => `${name}:${toCanonicalValue(headers.get(name)?.[0])}`);
  const canonical = [
    'POST',
    toCanonicalPath(path),
    '',
    ...lines,
    '',
    signedHeaders.join(';'),
    hash('sha256', body), // x-amz-content-sha256 is a statement of the caller
  ].join('\n');
  // Node decodes header bytes as latin1. Encoded back, they are the bytes that were signed.
  return createHash('sha256').update(canonical, 'latin1').digest('hex');
}

function toCanonicalValue(value = ''): string {
  return value.trim().replace(/ {2,}/g, ' ');
}

// The path has been encoded by the client. The signature covers it encoded once more.
function toCanonicalPath(path: string): string {
  return path.replace(
    /[^A-Za-z0-9._~/-]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}
