import { once } from 'node:events';
import { createGzip } from 'node:zlib';

import type { CallOptions } from '#aws/call-options.ts';
import type { Storage, StoredObject } from '#aws/storage/storage.ts';
import { Problem } from '#problems/problem.ts';
import { type ExportPlace, listExport } from '../list-export.ts';
import type { ManifestObject } from './manifest.ts';

// Reads of checksums at the same time. Fewer: large exports take longer. More: a read takes a millisecond of
// a core, and everything else waits.
const readsAtOnce = 8;

/** Lists the objects of an export with their checksums, page by page. */
export async function* listFiles(
  storage: Storage,
  place: ExportPlace,
  options: CallOptions,
): AsyncGenerator<ManifestObject[]> {
  let mayRead = true;
  const bucket = place.destination;

  async function toFile({ key, size, etag, checksumAlgorithm }: StoredObject) {
    const file: ManifestObject = { key, size, etag };
    if (!mayRead || checksumAlgorithm === undefined) return file;
    const checksum = await storage.readChecksum({ bucket, key }, options).catch((problem) => {
      if (!isDenied(problem)) throw problem;
      mayRead = false; // the same answer for each of them
      return undefined;
    });
    return checksum ? { ...file, checksum } : file;
  }

  for await (const objects of listExport(storage, place, options)) {
    const files: ManifestObject[] = [];
    for (let at = 0; at < objects.length; at += readsAtOnce) {
      files.push(...(await Promise.all(objects.slice(at, at + readsAtOnce).map(toFile))));
    }
    yield files;
  }
}

const isDenied = (problem: unknown) =>
  problem instanceof Problem && problem.slug === 'service-role-not-permitted';

/** Compresses a list of objects, a line for each. Only the compressed list is kept in memory. */
export async function compressFiles(pages: AsyncIterable<ManifestObject[]>): Promise<Buffer> {
  const gzip = createGzip();
  const chunks: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(gzip, 'end');
  for await (const files of pages) {
    const lines = files.map((file) => `${JSON.stringify(file)}\n`).join('');
    if (!gzip.write(lines)) await once(gzip, 'drain');
  }
  gzip.end();
  await ended;
  return Buffer.concat(chunks);
}
