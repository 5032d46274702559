import { type RunningChecksum, startChecksum } from '#aws/storage/checksums.ts';
import type { Storage } from '#aws/storage/storage.ts';
import { brokenGzip, countLines } from '../verification/count/count-lines.ts';
import type { Manifest, ManifestObject } from '../verification/manifest/manifest.ts';
import type { Report } from './open-manifest.ts';

/**
 * Downloads the objects of a manifest one after the other. Compares the checksums of their content, and
 * their lines with the totals.
 */
export async function checkContent(
  manifest: Manifest,
  objects: Iterable<ManifestObject>,
  { storage, report }: { storage: Storage; report: Report },
): Promise<void> {
  const found = { lines: 0, records: 0 };
  const window = { fromAt: Date.parse(manifest.from), toAt: Date.parse(manifest.to) };
  for (const { key, checksum } of objects) {
    const content = await storage.readObject({ bucket: manifest.bucket, key });
    const running = isComputable(checksum) ? startChecksum(checksum.algorithm) : undefined;
    if (running) content.on('data', (chunk: Buffer) => running.add(chunk));
    const count = await countLines(content, window).catch((error: Error) => {
      if (error.name !== brokenGzip) throw error;
      report(`content of ${key}: no whole gzip file`);
    });
    found.lines += count?.lines ?? 0;
    found.records += count?.records ?? 0;
    if (count && running) await compareChecksum(key, running, { checksum, report });
  }
  for (const name of ['lines', 'records'] as const) {
    const expected = manifest.totals[name];
    if (expected !== undefined && expected !== found[name]) {
      report(`totals.${name}: ${found[name]}, manifest ${expected}`);
    }
  }
}

type Checksum = ManifestObject['checksum'];

/** Whether content has this checksum. One of the checksums of parts needs the parts, which are not known. */
export function isComputable(checksum: Checksum): checksum is NonNullable<Checksum> {
  if (checksum === undefined || checksum.type === 'COMPOSITE') return false;
  return startChecksum(checksum.algorithm) !== undefined;
}

async function compareChecksum(
  key: string,
  running: RunningChecksum,
  { checksum, report }: { checksum: Checksum; report: Report },
): Promise<void> {
  const value = await running.end();
  if (value !== checksum?.value) {
    report(`content of ${key}: ${checksum?.algorithm} ${value}, manifest ${checksum?.value}`);
  }
}
