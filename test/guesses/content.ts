import { gunzipSync } from 'node:zlib';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';

import type { Emulator } from 'cloudwatch-logs-export-emulator/source';
import type { Guess } from './guesses.ts';

const hourMs = 3_600_000;

/** A time range of whole hours of one log group. */
export interface Window {
  region: string;
  logGroupName: string;
  fromAt: number;
  hours: number;
}

/**
 * Adds events around every full hour, a millisecond apart, and some between. Returns the lines that an
 * export of the window by the hour must have under a guess.
 */
export function seedEvents(
  emulator: Emulator,
  { fromAt, hours, ...group }: Window,
  { lacksLastMs = false }: Pick<Guess, 'lacksLastMs'>,
): string[] {
  const times: number[] = [];
  for (let hour = 0; hour <= hours; hour++) {
    const edge = fromAt + hour * hourMs;
    times.push(edge - 1, edge, edge + 1, edge + hourMs / 2);
  }
  const events = times.map((timestamp, index) => ({
    timestamp,
    ingestedAt: timestamp,
    message: `event ${index}`,
  }));
  for (const [logStreamName, parity] of [
    ['web-1/app', 0],
    ['web-2/app', 1],
  ] as const) {
    const half = events.filter((_, index) => index % 2 === parity);
    emulator.seed.logEvents({ ...group, logStreamName, events: half });
  }
  return events
    .filter(({ timestamp }) => timestamp >= fromAt && timestamp < fromAt + hours * hourMs)
    .filter(({ timestamp }) => !(lacksLastMs && timestamp % hourMs === hourMs - 1))
    .map(({ timestamp, message }) => `${new Date(timestamp).toISOString()} ${message}`)
    .sort();
}

/** Reads the lines of all objects under a prefix, sorted. */
export async function readLines(
  emulator: Emulator,
  { region, bucket, prefix }: { region: string; bucket: string; prefix: string },
): Promise<string[]> {
  const credentials = { accessKeyId: 'AKIDREADER', secretAccessKey: 'secret' };
  const s3 = new S3Client({ endpoint: emulator.url, region, forcePathStyle: true, credentials });
  const lines: string[] = [];
  const pages = paginateListObjectsV2({ client: s3 }, { Bucket: bucket, Prefix: prefix });
  for await (const { Contents = [] } of pages) {
    for (const { Key } of Contents.filter((object) => object.Key?.endsWith('.gz'))) {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      const text = gunzipSync((await Body?.transformToByteArray()) ?? '').toString();
      lines.push(...text.split('\n').filter((line) => line !== ''));
    }
  }
  s3.destroy();
  return lines.sort();
}
