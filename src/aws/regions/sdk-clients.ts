import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { STSClient } from '@aws-sdk/client-sts';

import { readAnswerBody, readAnsweredAt, readExactly } from '../client/answer-bodies.ts';
import { watchAttempts } from '../client/attempts.ts';
import { type AwsConnectionOptions, keepAliveConnections } from '../client/connections.ts';
import { attemptsOfTarget, keysOfTarget, retriesOfTarget } from './calling-target.ts';

/** How often a read is sent at most, and a call of STS. */
export const maxAttempts = { read: 3, sts: 2 };

/** The settings of all clients. The endpoint is that of the Region, or the one in AWS_ENDPOINT_URL…. */
export const clientSettings = (
  region: string,
  attempts: number,
  options: AwsConnectionOptions,
) => ({
  region,
  credentials: keysOfTarget,
  maxAttempts: attempts,
  requestHandler: keepAliveConnections(options),
  streamCollector: (body: AsyncIterable<Uint8Array>) => readAnswerBody(body),
});

/** Opens the client for calls of CloudWatch Logs that may be retried, for all targets of a Region. */
export function openReadClient(region: string, options: AwsConnectionOptions) {
  const client = new CloudWatchLogsClient({
    ...clientSettings(region, maxAttempts.read, options),
    streamCollector: readExactly,
  });
  client.config.retryStrategy = retriesOfTarget;
  client.middlewareStack.use(watchAttempts(attemptsOfTarget));
  client.middlewareStack.use(readAnsweredAt);
  return client;
}

/** Opens the client for STS, for all targets of a Region. */
export function openStsClient(region: string, options: AwsConnectionOptions) {
  const client = new STSClient(clientSettings(region, maxAttempts.sts, options));
  client.config.retryStrategy = retriesOfTarget;
  return client;
}
