import type { ProxyEnv } from 'node:http';

import type { AwsTimeouts } from './timeouts.ts';

/** Timeouts and proxy of connections to AWS. */
export interface AwsConnectionOptions {
  timeouts: AwsTimeouts;
  /** The forward proxy, as Node's agents read it from the environment. Default: none. */
  proxyEnv?: ProxyEnv | undefined;
}

/** Connections of a client whose calls may be retried: kept alive. */
export function keepAliveConnections(options: AwsConnectionOptions) {
  return { ...timeoutsOf(options, options.timeouts.readMs), ...agentsOf(options, {}) };
}

/**
 * Connections for CreateExportTask through a forward proxy: a new one for each call. The proxy may close
 * a kept connection just as we write. For a call that cannot be retried, the outcome would be unknown.
 */
export function oneConnectionPerCall(options: AwsConnectionOptions) {
  return {
    ...timeoutsOf(options, options.timeouts.createMs),
    ...agentsOf(options, { keepAlive: false }),
  };
}

function timeoutsOf({ timeouts }: AwsConnectionOptions, requestTimeout: number) {
  return { connectionTimeout: timeouts.connectMs, requestTimeout, throwOnRequestTimeout: true };
}

function agentsOf({ timeouts, proxyEnv }: AwsConnectionOptions, agentOptions: object) {
  // The SDK limits the time to connect, but Node would wait for the answer to a CONNECT for ever.
  const agent = {
    ...agentOptions,
    // The places of calls in flight limit the connections. With a finite number here, a call would wait
    // for those of other targets, and Node would keep the connection of a create for the next one.
    maxSockets: Number.POSITIVE_INFINITY,
    ...(proxyEnv && { proxyEnv, timeout: timeouts.readMs }),
  };
  return { httpAgent: agent, httpsAgent: agent };
}
