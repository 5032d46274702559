import { makeUsageError } from '../exit-codes.ts';
import type { Surroundings } from '../surroundings.ts';

const defaultUrl = 'http://127.0.0.1:8080';

/** Where the gateway is. */
export interface GatewayPlace {
  /** The URL before the paths of the API, without a slash at its end. */
  base: string;
  /** Whether credentials are safe there: it is HTTPS, or this machine. */
  isSafe: boolean;
  /** Whether LOG_EXPORT_URL is not set. */
  isDefault: boolean;
}

/** Reads LOG_EXPORT_URL. @throws CommandError of exit code 2 */
export function readGatewayPlace({ LOG_EXPORT_URL }: Surroundings['env']): GatewayPlace {
  const isDefault = LOG_EXPORT_URL === undefined || LOG_EXPORT_URL === '';
  const text = isDefault ? defaultUrl : LOG_EXPORT_URL;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw makeUsageError('LOG_EXPORT_URL must be a URL such as https://log-export.example.com.');
  }
  if (url.username || url.password || url.search || url.hash) {
    throw makeUsageError('LOG_EXPORT_URL must have no user name, password, query or fragment.');
  }
  const path = url.pathname.endsWith('/') ? url.pathname.slice(0, -1) : url.pathname;
  const isSafe = url.protocol === 'https:' || isLoopback(url.hostname);
  return { base: url.origin + path, isSafe, isDefault };
}

/** Whether a host of a parsed URL is this machine: `URL` writes each form of an IPv4 address in one way. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
