import type { KMSClient } from '@aws-sdk/client-kms';
import type { S3Client } from '@aws-sdk/client-s3';

import type { AwsConnectionOptions } from '../../client/connections.ts';
import { isAwsHost } from '../../endpoint/endpoint-override.ts';
import { readUnsentRequest } from '../../endpoint/unsent-request.ts';
import { retriesOfTarget } from '../../regions/calling-target.ts';
import { type LateClient, makeLateClient } from '../../regions/late-client.ts';
import { clientSettings, maxAttempts } from '../../regions/sdk-clients.ts';

/** S3 of the SDK: a client for one Region, and the commands. */
export interface S3 {
  client: S3Client;
  sdk: typeof import('@aws-sdk/client-s3');
}

/** KMS of the SDK: a client for one Region, and the commands. */
export interface Kms {
  client: KMSClient;
  sdk: typeof import('@aws-sdk/client-kms');
}

/** Opens S3 of a Region, for all targets. The SDK is loaded at the first call. */
export function openS3(region: string, options: AwsConnectionOptions): LateClient<S3> {
  return makeLateClient(async () => {
    const sdk = await import('@aws-sdk/client-s3');
    const { hostname } = await readUnsentRequest(region, (config) =>
      new sdk.S3Client(config).send(new sdk.HeadBucketCommand({ Bucket: 'none' })),
    );
    const client = new sdk.S3Client({
      ...clientSettings(region, maxAttempts.read, options),
      // An emulator or another replacement of AWS seldom has a host name for each bucket.
      forcePathStyle: !isAwsHost(region, hostname),
    });
    client.config.retryStrategy = retriesOfTarget;
    return { client, sdk };
  });
}

/** Opens KMS of a Region, for all targets. The SDK is loaded at the first call. */
export function openKms(region: string, options: AwsConnectionOptions): LateClient<Kms> {
  return makeLateClient(async () => {
    const sdk = await import('@aws-sdk/client-kms');
    const client = new sdk.KMSClient(clientSettings(region, maxAttempts.read, options));
    client.config.retryStrategy = retriesOfTarget;
    return { client, sdk };
  });
}
