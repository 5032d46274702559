import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { SNSClient } from '@aws-sdk/client-sns';

import type { AwsConnectionOptions } from '../client/connections.ts';
import { retriesOfTarget } from '../regions/calling-target.ts';
import { type LateClient, makeLateClient } from '../regions/late-client.ts';
import { clientSettings } from '../regions/sdk-clients.ts';

/** SNS of the SDK: a client for one Region, and the commands. */
export interface Sns {
  client: SNSClient;
  sdk: typeof import('@aws-sdk/client-sns');
}

/** EventBridge of the SDK: a client for one Region, and the commands. */
export interface EventBridge {
  client: EventBridgeClient;
  sdk: typeof import('@aws-sdk/client-eventbridge');
}

// The deliveries have a schedule of their own.
const attempts = 1;

/** Opens SNS of a Region, for all targets. The SDK is loaded at the first call. */
export function openSns(region: string, options: AwsConnectionOptions): LateClient<Sns> {
  return makeLateClient(async () => {
    const sdk = await import('@aws-sdk/client-sns');
    const client = new sdk.SNSClient(clientSettings(region, attempts, options));
    client.config.retryStrategy = retriesOfTarget;
    return { client, sdk };
  });
}

/** Opens EventBridge of a Region, for all targets. The SDK is loaded at the first call. */
export function openEventBridge(
  region: string,
  options: AwsConnectionOptions,
): LateClient<EventBridge> {
  return makeLateClient(async () => {
    const sdk = await import('@aws-sdk/client-eventbridge');
    const client = new sdk.EventBridgeClient(clientSettings(region, attempts, options));
    client.config.retryStrategy = retriesOfTarget;
    return { client, sdk };
  });
}
