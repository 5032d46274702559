import type { IncomingMessage } from 'node:http';

/** What a request says of its caller in its headers. */
export interface Credential {
  kind: 'jwt' | 'api-key';
  text: string;
}

// RFC 6750, section 2.1. What else is in the header, a second token after a comma, is not read over.
const bearer = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * Reads the credential in the headers of a request; `malformed` unless there is exactly one, in its
 * form: of two, another server on the way may have looked at the other one.
 */
export function readCredential({
  rawHeaders,
  url = '',
}: IncomingMessage): Credential | 'missing' | 'malformed' {
  if (hasTokenInQuery(url)) return 'malformed'; // it is in the logs of every proxy on the way
  const found: [name: string, value: string][] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    // Node's `headers` would keep the first Authorization of two and say nothing of it.
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

function hasTokenInQuery(url: string): boolean {
  const at = url.indexOf('?');
  return at >= 0 && new URLSearchParams(url.slice(at)).has('access_token');
}
