import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { STSClient } from '@aws-sdk/client-sts';

import { watchAttempts } from '../client/attempts.ts';
import { type AwsConnectionOptions, keepAliveConnections } from '../client/connections.ts';
import { readExactly } from '../client/exact-integers.ts';
import { attemptsOfTarget, keysOfTarget, retriesOfTarget } from './calling-target.ts';

/** How often a read is sent at most, and a call of STS. */
export const maxAttempts = { read: 3, sts: 2 };

// The endpoint is that of the Region, or the one in AWS_ENDPOINT_URL….

/** Opens the client for calls of CloudWatch Logs that may be retried, for all targets of a Region. */
export function openReadClient(region: string, options: AwsConnectionOptions) {
  const client = new CloudWatchLogsClient({
    region,
    credentials: keysOfTarget,
    maxAttempts: maxAttempts.read,
    requestHandler: keepAliveConnections(options),
  });
  client.config.retryStrategy = retriesOfTarget;
  client.middlewareStack.use(watchAttempts(attemptsOfTarget));
  client.middlewareStack.use(readExactly);
  return client;
}

/** Opens the client for STS, for all targets of a Region. */
export function openStsClient(region: string, options: AwsConnectionOptions) {
  const client = new STSClient({
    region,
    credentials: keysOfTarget,
    maxAttempts: maxAttempts.sts,
    requestHandler: keepAliveConnections(options),
  });
  client.config.retryStrategy = retriesOfTarget;
  return client;
}
