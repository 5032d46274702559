import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';
import { escapeUri, type IHttpRequest } from '@smithy/core/protocols';

import type { CallKeys } from '../sessions/credentials.ts';

/** What a signature is valid for, beside its day. */
export interface SigningScope {
  region: string;
  service: string;
  /** The names of the signed headers in lower case, in alphabetical order. */
  signedHeaders: readonly string[];
}

const algorithm = 'AWS4-HMAC-SHA256';

/**
 * Adds the headers of AWS Signature Version 4 to a request. The signer of the SDK makes the same signature
 * in three times the time: it derives, sorts and encodes again what is equal in every create.
 */
export function signRequest(
  request: IHttpRequest,
  { region, service, signedHeaders }: SigningScope,
  { keys, date }: { keys: CallKeys; date: Date },
): IHttpRequest {
  const at = date.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const day = at.slice(0, 8);
  const bodyHash = hash('sha256', request.body);
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-date': at,
    'x-amz-content-sha256': bodyHash,
  };
  if (keys.sessionToken !== undefined) headers['x-amz-security-token'] = keys.sessionToken;
  const names = signedHeaders.filter((name) => headers[name] !== undefined);
  const signed = names.join(';');
  let canonical = `${request.method}\n${canonicalPath(request.path)}\n${canonicalQuery(request.query)}\n`;
  for (const name of names) canonical += `${name}:${headers[name]}\n`;
  canonical += `\n${signed}\n${bodyHash}`;
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = `${algorithm}\n${at}\n${scope}\n${hash('sha256', canonical)}`;
  const key = signingKey(keys, { day, region, service });
  const signature = hmac(key, toSign).toString('hex');
  headers.authorization = `${algorithm} Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
  return { ...request, headers };
}

const signingKeys = new WeakMap<CallKeys, { scope: string; key: KeyObject }>();

/** The key for one day, Region and service. It is kept as long as the keys it is derived from. */
function signingKey(
  keys: CallKeys,
  { day, region, service }: { day: string; region: string; service: string },
): KeyObject {
  const scope = `${day}/${region}/${service}`;
  const known = signingKeys.get(keys);
  if (known?.scope === scope) return known.key;
  const steps = [day, region, service, 'aws4_request'];
  // With a buffer as its key, an HMAC of Node takes five times as long.
  const key = createSecretKey(
    steps.reduce<Buffer>(hmac, Buffer.from(`AWS4${keys.secretAccessKey}`)),
  );
  signingKeys.set(keys, { scope, key });
  return key;
}

function hmac(key: Buffer | KeyObject, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

// The path is encoded already. AWS encodes it once more for the signature.
function canonicalPath(path: string): string {
  return escapeUri(path.replaceAll(/\/+/g, '/')).replaceAll('%2F', '/');
}

function canonicalQuery(query: IHttpRequest['query'] = {}): string {
  const pairs = Object.entries(query).flatMap(([name, values]) =>
    [values ?? []].flat().map((value) => `${escapeUri(name)}=${escapeUri(value)}`),
  );
  return pairs.sort().join('&');
}
