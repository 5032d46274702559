import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { expect } from 'vitest';

import { readConfig } from '#config/read-config.ts';
import { openGateway } from '#open-gateway.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { region, type World } from '../world.ts';

/** The account and the bucket of the page. */
export const accountId = '111122223333';
export const bucket = 'my-archive';
const trace =
  'ERROR payment failed\njava.net.SocketTimeoutException\n\n\tat shop.Payment.send(Payment.java:42)';
/** The log events, by time. */
export const events = [
  ['2024-05-01T00:00:00.000Z', 'web-1', 'INFO "quoted", with \\ and ünïcode 🧾'],
  ['2024-05-01T10:15:02.123Z', 'pay/web-2', trace],
  ['2024-05-01T10:15:02.124Z', 'web-1', '  begins with spaces'],
  ['2024-05-01T10:15:02.125Z', 'web-1', 'ends with spaces  \n{"json": "of two lines"}'],
  ['2024-05-02T07:00:00.000Z', 'pay/web-2', 'progress 10%\r20%\r\n\r\ndone\r'],
  ['2024-05-02T07:00:00.001Z', 'pay/web-2', '"control \x01 characters \t\x1b[0m \x85\u2028'],
  ['2024-05-02T07:00:00.002Z', 'pay/web-2', ''],
  ['2024-05-02T23:59:59.999Z', 'pay/web-2', trace],
].map(([time = '', stream = '', message = '']) => ({ time, stream, message }));

/** Exports two days of a log group by the API of the gateway, with the default prefix. Its data is in `folder`. */
export async function exportTwoDays({ emulator }: World, folder: string): Promise<void> {
  const logGroupName = '/demo/checkout';
  emulator.seed.logGroup({ region, accountId, logGroupName });
  emulator.seed.bucket({ region, accountId, bucket });
  for (const logStreamName of ['web-1', 'pay/web-2']) {
    const own = events
      .filter(({ stream }) => stream === logStreamName)
      .map(({ time, message }) => ({ timestamp: Date.parse(time), message }));
    emulator.seed.logEvents({ region, accountId, logGroupName, logStreamName, events: own });
  }
  const gateway = await openGateway({
    config: readConfig(
      {
        AWS_REGION: region,
        SERVICE_ROLE_ARN: `arn:aws:iam::${accountId}:role/log-export`,
        PORT: '0',
        DATA_DIR: folder,
        AUDIT_LOG: join(folder, 'audit.jsonl'),
      },
      () => '',
    ),
    log: makeLogger('silent', { write() {} }),
    lameDuckMs: 0,
  });
  await gateway.ready;
  const created = await fetch(`${gateway.url}/export-jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      logGroupNames: [logGroupName],
      from: '2024-05-01T00:00:00Z',
      to: '2024-05-03T00:00:00Z',
      sliceBy: 'day',
      destination: bucket,
    }),
  });
  const job = gateway.url + created.headers.get('location');
  let state: string | undefined;
  let etag = '';
  while (!['completed', 'failed'].includes(state ?? '')) {
    const answer = await fetch(`${job}?wait=30`, { headers: { 'if-none-match': etag } });
    if (answer.status === 304) continue;
    etag = answer.headers.get('etag') ?? '';
    ({ state } = (await answer.json()) as { state: string });
  }
  await gateway.close();
  expect(state).toBe('completed');
}

/** Reads all objects of the bucket, by key. */
export async function readObjects({ emulator }: World): Promise<Map<string, Buffer>> {
  const credentials = { accessKeyId: 'AKIDREADER', secretAccessKey: 'secret' };
  const s3 = new S3Client({ endpoint: emulator.url, region, forcePathStyle: true, credentials });
  const objects = new Map<string, Buffer>();
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  for (const { Key = '' } of Contents) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
    objects.set(Key, Buffer.from((await Body?.transformToByteArray()) ?? []));
  }
  s3.destroy();
  return objects;
}
