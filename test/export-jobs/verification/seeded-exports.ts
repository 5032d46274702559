import { createHash } from 'node:crypto';
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import type { Emulator } from 'cloudwatch-logs-export-emulator/source';

import { region } from '../../world.ts';
import { firstWindowAt } from '../insert-hourly-job.ts';
import { openQueue, type Queue, type QueueOptions } from '../open-queue.ts';

/** Opens a queue whose log group has events of some streams in the first hour of each job. Its jobs are verified. */
export async function openSeededQueue({
  streams = 3,
  ...options
}: QueueOptions & { streams?: number } = {}): Promise<Queue> {
  const queue = await openQueue(options);
  for (let stream = 0; stream < streams; stream += 1) {
    seedEvents(queue.emulator, `web-${stream}/app`, [`one of ${stream}`, `two of ${stream}`]);
  }
  return { ...queue, put: (job) => queue.put({ verification: 'objects', ...job }) };
}

/** Adds events to a stream, a millisecond apart, from an hour of the jobs on. By default, each arrives at once. */
export function seedEvents(
  emulator: Emulator,
  logStreamName: string,
  messages: readonly string[],
  hour = 0,
  ingestedAt?: number,
): void {
  const events = messages.map((message, index) => ({
    timestamp: firstWindowAt + hour * 3_600_000 + index,
    message,
    ...(ingestedAt !== undefined && { ingestedAt }),
  }));
  emulator.seed.logEvents({ region, logGroupName: '/app', logStreamName, events });
}

/** Reads all objects of a bucket: their bytes by key. Permission tests are left out. */
async function readBucket(
  { url }: Pick<Emulator, 'url'>,
  bucket = 'archive',
): Promise<Map<string, Buffer>> {
  const credentials = { accessKeyId: 'AKIDREADER', secretAccessKey: 'secret' };
  const s3 = new S3Client({ endpoint: url, region, forcePathStyle: true, credentials });
  const objects = new Map<string, Buffer>();
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket: bucket })) {
    for (const { Key = '' } of Contents) {
      if (Key.endsWith('aws-logs-write-test')) continue;
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }));
      objects.set(Key, Buffer.from((await Body?.transformToByteArray()) ?? []));
    }
  }
  s3.destroy();
  return objects;
}

/** Returns the manifests of a bucket, by key. */
export async function readManifests(queue: Pick<Queue, 'emulator'>) {
  const objects = await readBucket(queue.emulator);
  return [...objects]
    .filter(([key]) => key.split('/').at(-1)?.startsWith('_manifest-'))
    .map(([key, bytes]) => ({
      key,
      bytes,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      manifest: key.endsWith('.json') ? JSON.parse(bytes.toString()) : undefined,
    }));
}

/** Reads the verifications of a queue. */
export const verificationsOf = ({ database }: Pick<Queue, 'database'>) =>
  database.queries
    .selectFrom('verifications')
    .selectAll()
    .orderBy('jobId')
    .orderBy('slice')
    .orderBy('attempt')
    .execute();

/** Reads the types of the events of a queue, without those before a task runs. */
export async function verdictsOf({ database }: Pick<Queue, 'database'>): Promise<string[]> {
  const rows = await database.queries
    .selectFrom('events')
    .select(['type', 'data'])
    .orderBy('jobId')
    .orderBy('version')
    .execute();
  return rows
    .filter(({ type }) => !['job-accepted', 'slice-starting', 'slice-running'].includes(type))
    .map(({ type, data }) => {
      const { problem } = JSON.parse(data);
      return problem ? `${type}: ${problem}` : type;
    });
}
