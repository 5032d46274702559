import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { S3Client } from '@aws-sdk/client-s3';
import { STSClient } from '@aws-sdk/client-sts';
import { type EmulatorOptions, openEmulator } from '#emulator/emulator.ts';

/** 2026-03-01T12:00:00Z, where the clock of these tests stands. */
export const startAt = Date.UTC(2026, 2, 1, 12);

export const logGroupName = '/shop/checkout';
export const bucket = 'shop-exports';

/** What an SDK client needs to speak to an emulator, one attempt a call. */
export function clientConfig(url: string, credentials = plainKeys, region = 'us-east-1') {
  return { endpoint: url, region, credentials, maxAttempts: 1 };
}

const plainKeys: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } = {
  accessKeyId: 'AKIATEST',
  secretAccessKey: 'secret',
};

/** An emulator on a standing clock with one group and one bucket, and the real SDK in front of it. */
export async function openBench(options: EmulatorOptions = {}) {
  const emulator = await openEmulator({ startAt, rateLimits: 'off', ...options });
  emulator.seed.logGroup({ logGroupName });
  emulator.seed.bucket({ bucket });
  const config = clientConfig(emulator.url);
  const logs = new CloudWatchLogsClient(config);
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const sts = new STSClient(config);
  return {
    emulator,
    logs,
    s3,
    sts,
    /** A CreateExportTask that succeeds. */
    order: { logGroupName, destination: bucket, from: startAt - 3_600_000, to: startAt },
    async [Symbol.asyncDispose]() {
      for (const client of [logs, s3, sts]) client.destroy();
      await emulator.close();
    },
  };
}
