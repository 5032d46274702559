import type { IncomingHttpHeaders } from 'node:http';

const readingMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Whether a page of another origin makes a browser send a request that may change something. Some of
 * these are sent without a preflight, such as a POST without a body, and only their answer is kept from
 * the page. Browsers say where a request comes from in Sec-Fetch-Site; older ones, and pages without
 * TLS, only in Origin. Other clients send neither.
 */
export function isCrossSiteChange(method: string, headers: IncomingHttpHeaders): boolean {
  if (readingMethods.has(method)) return false;
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  return origin !== undefined && !isOriginOf(origin, host);
}

/**
 * Whether a browser says that a page of this service sends the request. It is `false` without a statement, as
 * from other clients, and for pages of other subdomains, whose requests have the cookies of this service.
 */
export function isFromOwnPage({
  origin,
  host,
  'sec-fetch-site': site,
}: IncomingHttpHeaders): boolean {
  if (site !== undefined) return site === 'same-origin';
  return origin !== undefined && isOriginOf(origin, host);
}

// The scheme is not compared: a proxy in front may have ended TLS.
function isOriginOf(origin: string, host = ''): boolean {
  const sent = URL.parse(origin);
  return (
    sent !== null && sent.host !== '' && sent.host === URL.parse(`${sent.protocol}//${host}`)?.host
  );
}
