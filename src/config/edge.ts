import { isLoopback } from './access.ts';
import { readOrigins } from './variables/origins.ts';
import type { Environment } from './variables.ts';

/** How callers reach the service. */
export interface EdgeConfig {
  /** The names the Host header may have, in lower case; any when undefined. */
  allowedHosts: readonly string[] | undefined;
  /** The origins whose scripts may call the service; with none, CORS is off. */
  corsOrigins: readonly string[];
  /** How long a connection without a request is kept, in milliseconds. */
  keepAliveMs: number;
}

/** Reads how callers reach the service. @throws an error named ConfigError */
export function readEdge(env: Environment): EdgeConfig {
  return {
    allowedHosts: readAllowedHosts(env),
    corsOrigins: readOrigins('CORS_ORIGINS', env.CORS_ORIGINS),
    keepAliveMs: env.KEEP_ALIVE_SECONDS * 1_000,
  };
}

/** Without authentication on a loopback address, a web page must not call the service: see edge/browsers/hosts.ts. */
function readAllowedHosts({ ALLOWED_HOSTS, AUTH, HOST }: Environment): string[] | undefined {
  if (ALLOWED_HOSTS !== undefined) return ALLOWED_HOSTS.toLowerCase().split(',');
  const isOpen = AUTH === undefined || AUTH === 'none';
  if (!isOpen || !isLoopback(HOST)) return undefined;
  return [...new Set(['localhost', '127.0.0.1', '[::1]', HOST.toLowerCase()])];
}
