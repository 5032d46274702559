import type { CallOptions } from '#aws/call-options.ts';
import { objectsPrefixOf, testObjectName } from '#aws/destination-prefix.ts';
import type { Storage, StoredObject } from '#aws/storage/storage.ts';
import type { ExportTotals } from '../store/verifications/findings.ts';

/** Where AWS has written an export. */
export interface ExportPlace {
  destination: string;
  destinationPrefix: string;
  taskId: string;
}

// As many as S3 lists at once.
const objectsPerPage = 1_000;

/** A page of the objects of an export, and the key after which the next one begins. */
export interface ExportPage {
  objects: StoredObject[];
  /** The last key of the page, also if it is no part of the export; absent on the last page. */
  next: string | undefined;
}

/** Lists a page of the objects of an export, by key. */
export async function listExportPage(
  storage: Pick<Storage, 'listObjects'>,
  place: ExportPlace,
  { after, limit = objectsPerPage }: { after?: string | undefined; limit?: number },
  options: CallOptions,
): Promise<ExportPage> {
  const prefix = objectsPrefixOf(place);
  const { objects, isComplete } = await storage.listObjects(
    { bucket: place.destination, prefix, limit, ...(after !== undefined && { after }) },
    options,
  );
  return {
    objects: objects.filter(({ key }) => key.slice(prefix.length) !== testObjectName),
    next: isComplete ? undefined : objects.at(-1)?.key,
  };
}

/** Lists all objects of an export, page by page. */
export async function* listExport(
  storage: Pick<Storage, 'listObjects'>,
  place: ExportPlace,
  options: CallOptions,
): AsyncGenerator<StoredObject[]> {
  for (let after: string | undefined; ; ) {
    const { objects, next } = await listExportPage(storage, place, { after }, options);
    yield objects;
    if (next === undefined) return;
    after = next;
  }
}

/** Counts the objects of an export, their bytes and their log streams. Keeps no more than a page. */
export async function totalExport(
  storage: Pick<Storage, 'listObjects'>,
  place: ExportPlace,
  options: CallOptions,
): Promise<ExportTotals> {
  const { length } = objectsPrefixOf(place);
  const totals = { objects: 0, bytes: 0, streams: 0 };
  let folder: string | undefined;
  for await (const objects of listExport(storage, place, options)) {
    for (const { key, size } of objects) {
      totals.objects += 1;
      totals.bytes += size;
      // The objects of a folder follow each other in the list.
      const own = key.slice(length, key.indexOf('/', length));
      if (own !== folder) totals.streams += 1;
      folder = own;
    }
  }
  return totals;
}
