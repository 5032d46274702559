import type { IncomingMessage } from 'node:http';

/** The credential in the headers of a request. */
export interface Credential {
  kind: 'jwt' | 'api-key';
  text: string;
}

// RFC 6750, section 2.1. Anything else in the header, such as a second token, is an error.
const bearer = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * Reads the credential in the headers of a request; `malformed` unless there is exactly one, and it is
 * well-formed. If there were two, a proxy might have checked the other one.
 */
export function readCredential({
  rawHeaders,
  url = '',
}: IncomingMessage): Credential | 'missing' | 'malformed' {
  if (hasTokenInQuery(url)) return 'malformed'; // every proxy logs the URL
  const found: [name: string, value: string][] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    // Node's `headers` silently keeps only the first of two Authorization headers.
    if (name === 'authorization' || name === 'x-api-key') {
      found.push([name, rawHeaders[index + 1] ?? '']);
    }
  }
  const [first, second] = found;
  if (!first) return 'missing';
  const [name, value] = first;
  const kind = name === 'x-api-key' ? 'api-key' : 'jwt';
  const text = kind === 'jwt' ? bearer.exec(value)?.[1] : value;
  return second || !text ? 'malformed' : { kind, text };
}

/** Returns the name and value of the header that carries a credential: the inverse of `readCredential`. */
function headerOf({ kind, text }: Credential): [name: string, value: string] {
  return kind === 'api-key' ? ['x-api-key', text] : ['authorization', `Bearer ${text}`];
}

/** Returns a request that has this credential in its headers, too. */
export function addCredential(request: IncomingMessage, credential: Credential): IncomingMessage {
  const rawHeaders = { value: [...request.rawHeaders, ...headerOf(credential)] };
  return Object.create(request, { rawHeaders });
}

function hasTokenInQuery(url: string): boolean {
  const at = url.indexOf('?');
  return at >= 0 && new URLSearchParams(url.slice(at)).has('access_token');
}
