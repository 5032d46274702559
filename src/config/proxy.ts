import type { ProxyEnv } from 'node:http';

import { configError } from '#problems/config-error.ts';

/** The variables of a forward proxy. */
interface ProxyVariables {
  HTTPS_PROXY?: string | undefined;
  HTTP_PROXY?: string | undefined;
  NO_PROXY?: string | undefined;
}

// A proxy on another machine cannot reach the loopback addresses of this one.
const thisMachine = 'localhost,127.0.0.1-127.255.255.254,::1,[::1]';

/**
 * Reads the forward proxy for outgoing calls, in the form of Node's agents; undefined if there is none.
 * @throws an error named ConfigError, without the password of the URL
 */
export function readProxy({
  HTTPS_PROXY,
  HTTP_PROXY,
  NO_PROXY,
}: ProxyVariables): ProxyEnv | undefined {
  if (HTTPS_PROXY === undefined && HTTP_PROXY === undefined) return undefined;
  for (const [name, url] of Object.entries({ HTTPS_PROXY, HTTP_PROXY })) {
    if (url === undefined || URL.canParse(url)) continue;
    throw configError(`${name} is set, but is not a URL; check its host and port.`);
  }
  return {
    ...(HTTPS_PROXY !== undefined && { HTTPS_PROXY }),
    ...(HTTP_PROXY !== undefined && { HTTP_PROXY }),
    NO_PROXY: NO_PROXY === undefined ? thisMachine : `${thisMachine},${NO_PROXY}`,
  };
}

/** The environment with the proxy variables in upper case: as with curl, the lower-case ones win. */
export function withProxyNames(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const read = { ...env };
  for (const name of ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']) {
    const value = env[name.toLowerCase()];
    if (value) read[name] = value;
  }
  return read;
}
