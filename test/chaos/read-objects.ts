import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import type { Emulator } from 'cloudwatch-logs-export-emulator/source';

import type { EvidentObject } from './check-manifests.ts';

/** Reads the sizes of all objects in some buckets, and the manifests, by bucket and key. */
export async function readObjects(
  { url }: Pick<Emulator, 'url'>,
  buckets: readonly string[],
): Promise<Map<string, EvidentObject>> {
  const client = new S3Client({
    endpoint: url,
    region: 'us-east-1',
    forcePathStyle: true,
    followRegionRedirects: true,
    credentials: { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret-of-the-test' },
  });
  const objects = new Map<string, EvidentObject>();
  for (const Bucket of buckets) {
    for await (const page of paginateListObjectsV2({ client }, { Bucket })) {
      for (const { Key = '', Size = 0 } of page.Contents ?? []) {
        const isManifest = Key.split('/').at(-1)?.startsWith('_manifest-') ?? false;
        const read = isManifest && client.send(new GetObjectCommand({ Bucket, Key }));
        const text = read && (await (await read).Body?.transformToString());
        objects.set(`${Bucket}/${Key}`, { size: Size, ...(text && { text }) });
      }
    }
  }
  client.destroy();
  return objects;
}
