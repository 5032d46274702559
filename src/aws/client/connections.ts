import type { ProxyEnv } from 'node:http';

import type { AwsTimeouts } from './timeouts.ts';

/** How AWS is reached. */
export interface AwsConnectionOptions {
  timeouts: AwsTimeouts;
  /** The forward proxy on the way, in the words of Node's agents; none when absent. */
  proxyEnv?: ProxyEnv | undefined;
}

/** How a client connects whose calls may be repeated: on kept connections. */
export function keepAliveConnections(reach: AwsConnectionOptions) {
  return { ...waiting(reach, reach.timeouts.readMs), ...agents(reach, {}) };
}

/**
 * How the client for CreateExportTask connects: each call on a connection of its own. A kept one may
 * be reset by the other side just as we write; on the one call that cannot be repeated that would
 * leave the outcome unknown. `maxSockets` must be infinite for it: with a finite one Node keeps the
 * connection for the next call in line. So the total is what is bounded.
 */
export function oneConnectionPerCall(reach: AwsConnectionOptions) {
  return {
    ...waiting(reach, reach.timeouts.createMs),
    ...agents(reach, {
      keepAlive: false,
      maxSockets: Number.POSITIVE_INFINITY,
      maxTotalSockets: 50, // the SDK's own bound
    }),
  };
}

function waiting({ timeouts }: AwsConnectionOptions, requestTimeout: number) {
  return { connectionTimeout: timeouts.connectMs, requestTimeout, throwOnRequestTimeout: true };
}

function agents({ timeouts, proxyEnv }: AwsConnectionOptions, options: object) {
  // The SDK gives up on a connection in time, but Node would wait for the answer to a CONNECT for ever.
  const agent = { ...options, ...(proxyEnv && { proxyEnv, timeout: timeouts.readMs }) };
  return { httpAgent: agent, httpsAgent: agent };
}
