/**
 * Says what is wrong with the URL of a heartbeat, as a sentence about `heartbeatUrl`; undefined if it may be used.
 * `origins` are those that the operator allows.
 */
export function heartbeatUrlFault(text: string, origins: readonly string[]): string | undefined {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:') return 'must be a URL that begins with https://';
  if (url.username !== '' || url.password !== '') return 'must not have a user name or a password';
  if (origins.includes(url.origin)) return undefined;
  return origins.length === 0
    ? 'is not accepted: the operator of this service has not set HEARTBEAT_ORIGINS'
    : `must have an origin that HEARTBEAT_ORIGINS allows, and ${url.origin} is not one`;
}
