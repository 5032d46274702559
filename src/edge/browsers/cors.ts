import type { IncomingHttpHeaders } from 'node:http';

/** The headers of answers that scripts of other origins may read, besides those that CORS always allows. */
const exposed =
  'Location, ETag, Retry-After, Age, RateLimit, RateLimit-Policy, X-Request-Id, WWW-Authenticate, Allow';
const allowedHeaders =
  'Authorization, X-API-Key, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Request-Id';
// Browsers cache for two hours at most. Lower: each poll of a page becomes two requests. Higher: a removed
// origin stays allowed longer.
const preflightSeconds = 600;

/** The CORS headers (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export interface Cors {
  isAllowed(origin: string | undefined): boolean;
  /** The headers of each answer. */
  headersFor(origin: string | undefined): Record<string, string>;
  /** The headers of the answer to a preflight; undefined if the origin is not allowed. */
  preflightHeadersFor(origin: string | undefined): Record<string, string> | undefined;
}

/**
 * Makes the CORS headers for exactly these origins. Credentials of the browser, such as cookies and client
 * certificates, are never allowed: a script sends its token or key itself.
 */
export function makeCors(origins: readonly string[]): Cors {
  const allowed = new Set(origins);
  const vary: Record<string, string> = allowed.size > 0 ? { vary: 'Origin' } : {};
  const isAllowed = (origin: string | undefined): origin is string =>
    origin !== undefined && allowed.has(origin);
  return {
    isAllowed,
    headersFor(origin) {
      if (!isAllowed(origin)) return vary;
      return {
        ...vary,
        'access-control-allow-origin': origin,
        'access-control-expose-headers': exposed,
      };
    },
    preflightHeadersFor(origin) {
      if (!isAllowed(origin)) return undefined;
      return {
        'access-control-allow-methods': 'GET, HEAD, POST, PATCH, DELETE',
        'access-control-allow-headers': allowedHeaders,
        'access-control-max-age': String(preflightSeconds),
      };
    },
  };
}

/** Whether a request is a CORS preflight. A preflight never has credentials. */
export function isPreflight(method: string, headers: IncomingHttpHeaders): boolean {
  const { origin, 'access-control-request-method': requested } = headers;
  return method === 'OPTIONS' && origin !== undefined && requested !== undefined;
}
