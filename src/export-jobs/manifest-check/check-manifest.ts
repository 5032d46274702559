import type { ObjectChecksum, ObjectPlace, Storage, StoredObject } from '#aws/storage/storage.ts';
import { inChunks } from '#paging/in-chunks.ts';
import { countOf } from '#problems/limits.ts';
import { listExport } from '../verification/list-export.ts';
import {
  type Manifest,
  type ManifestObject,
  manifestKeyOf,
} from '../verification/manifest/manifest.ts';
import { checkContent, isComputable } from './check-content.ts';
import { type Report, readListedObjects } from './open-manifest.ts';

/** How a manifest is checked. */
export interface CheckOptions {
  storage: Storage;
  /** Where the manifest was read; absent for a file. */
  place: ObjectPlace | undefined;
  /** Whether the objects are downloaded. */
  isDeep: boolean;
  report: Report;
  /** Receives a line about an object that could not be compared. */
  noteUndecided: Report;
}

// Fewer: a check of many objects takes longer. More: S3 throttles the auditor.
const readsAtOnce = 16;

/**
 * Compares a manifest with S3, and reports each difference. It changes nothing. Returns how many of the found
 * objects have no checksum in the manifest.
 */
export async function checkManifest(manifest: Manifest, options: CheckOptions): Promise<number> {
  const { storage, report, isDeep } = options;
  comparePlace(manifest, options);
  const listed = await readListedObjects(manifest, storage, report);
  if (!listed) return 0;
  compareTotals(manifest, listed, report);
  const found = await compareListing(manifest, listed, options);
  for await (const chunk of inChunks(found, readsAtOnce)) {
    await Promise.all(chunk.map((object) => compareChecksum(manifest.bucket, object, options)));
  }
  if (isDeep) await checkContent(manifest, found, options);
  return found.filter(({ checksum }) => !checksum).length;
}

/** The destination prefix of an export: the prefix of its objects without the folder of the task. */
const destinationPrefixOf = ({ prefix, taskId }: Manifest) =>
  prefix.endsWith(`/${taskId}/`) ? prefix.slice(0, -`/${taskId}/`.length) : undefined;

function comparePlace(manifest: Manifest, { place, report }: CheckOptions): void {
  const destinationPrefix = destinationPrefixOf(manifest);
  if (destinationPrefix === undefined) {
    report(`prefix: ${manifest.prefix} does not end in the task ${manifest.taskId}`);
    return;
  }
  const key = manifestKeyOf(destinationPrefix, manifest.taskId);
  if (place && (place.bucket !== manifest.bucket || place.key !== key)) {
    report(`place: s3://${place.bucket}/${place.key}, manifest s3://${manifest.bucket}/${key}`);
  }
}

function compareTotals(
  { totals, isEmpty }: Manifest,
  listed: ReadonlyMap<string, ManifestObject>,
  report: Report,
): void {
  const bytes = listed.values().reduce((sum, { size }) => sum + size, 0);
  const count = countOf(listed.size, 'object');
  if (totals.objects !== listed.size) {
    report(`totals.objects: ${totals.objects}, but the manifest lists ${count}`);
  }
  if (totals.bytes !== bytes) {
    report(`totals.bytes: ${totals.bytes}, but the listed objects have ${bytes}`);
  }
  if (isEmpty !== (listed.size === 0)) report(`isEmpty: ${isEmpty}, with ${count}`);
}

/** Compares the listed objects with those in the bucket. Returns the ones that are there. */
async function compareListing(
  manifest: Manifest,
  listed: ReadonlyMap<string, ManifestObject>,
  { storage, report }: CheckOptions,
): Promise<ManifestObject[]> {
  const { bucket: destination, taskId } = manifest;
  const destinationPrefix = destinationPrefixOf(manifest);
  if (destinationPrefix === undefined) return [];
  const found: ManifestObject[] = [];
  const place = { destination, destinationPrefix, taskId };
  for await (const objects of listExport(storage, place, {})) {
    for (const object of objects) {
      const expected = listed.get(object.key);
      if (!expected) report(`not in the manifest: ${object.key}`);
      else {
        compareObject(object, expected, report);
        found.push(expected);
      }
    }
  }
  const keys = new Set(found.map(({ key }) => key));
  for (const key of listed.keys()) if (!keys.has(key)) report(`missing: ${key}`);
  return found;
}

function compareObject(object: StoredObject, expected: ManifestObject, report: Report): void {
  const { key } = object;
  if (object.size !== expected.size) {
    report(`size of ${key}: ${object.size}, manifest ${expected.size}`);
  }
  if (object.etag !== expected.etag) {
    report(`ETag of ${key}: ${object.etag}, manifest ${expected.etag}`);
  }
}

/**
 * Compares the checksum of S3. A copy of the same bytes can have another algorithm. Then only the content
 * shows whether it is the same.
 */
async function compareChecksum(
  bucket: string,
  { key, checksum }: ManifestObject,
  { storage, isDeep, report, noteUndecided }: CheckOptions,
): Promise<void> {
  if (!checksum) return;
  const { algorithm, value } = checksum;
  const stored = await storage.readChecksum({ bucket, key });
  if (stored?.algorithm === algorithm && stored.value === value) return;
  if (stored?.algorithm === algorithm && isOfParts(stored) === isOfParts(checksum)) {
    report(`checksum of ${key}: ${algorithm} ${stored.value}, manifest ${algorithm} ${value}`);
    return;
  }
  if (isDeep && isComputable(checksum)) return;
  const advice = isComputable(checksum)
    ? 'use --deep to compare the content'
    : 'it cannot be computed';
  noteUndecided(
    `other checksum algorithm of ${key}: ${nameOf(stored)}, manifest ${nameOf(checksum)}; ${advice}`,
  );
}

const isOfParts = ({ type }: ObjectChecksum) => type === 'COMPOSITE';

/** The algorithm of a checksum, and whether it is made of those of parts. */
function nameOf(checksum: ObjectChecksum | undefined): string {
  if (!checksum) return 'none';
  return isOfParts(checksum) ? `${checksum.algorithm} of parts` : checksum.algorithm;
}
