import { isIP } from 'node:net';

import { isPublicAddress } from '#outbound/public-address.ts';

/**
 * Says what is wrong with the URL of an endpoint, as a sentence about `url`; undefined if it may be used.
 * `origins` are those that the operator allows: they may use plain HTTP, any port and addresses that are not public.
 * Names are looked up only when a delivery is sent.
 */
export function webhookUrlFault(text: string, origins: readonly string[]): string | undefined {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    return 'must be a URL that begins with https://';
  if (url.username !== '' || url.password !== '') return 'must not have a user name or a password';
  if (url.hash !== '') return 'must not have a fragment';
  if (origins.includes(url.origin)) return undefined;
  if (url.protocol !== 'https:') return `must begin with https://${unless}`;
  if (url.port !== '') return `must have port 443${unless}`;
  // With it, policies would take the same receiver for another origin.
  if (url.hostname.endsWith('.')) return 'must not have a full stop at the end of its host';
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isOfThisMachine = /(?:^|\.)localhost$/.test(host);
  if (isOfThisMachine || (isIP(host) !== 0 && !isPublicAddress(host)))
    return `must have a public address${unless}`;
  return undefined;
}

const unless = ', unless the operator allows its origin with WEBHOOK_ORIGINS';
