import { mkdtempDisposableSync } from 'node:fs';
import { join } from 'node:path';

import type { Database } from '#database/database.ts';
import { memoryFolder } from '../memory-folder.ts';
import { postgresUrl } from '../postgres-databases.ts';
import { openReady } from '../ready-database.ts';

/** The options of a storage backend, as `openWorld` and `openDatabase` take them. */
interface StorageOptions {
  databaseUrl?: string;
}

/** The two storage backends of export jobs, for `describe.each`. */
export const storageBackends: [name: string, openStorage: () => Promise<StorageOptions>][] = [
  ['SQLite', async () => ({})],
  ['PostgreSQL', async () => ({ databaseUrl: await postgresUrl() })],
];

/** Opens an empty database, ready to use. It leaves nothing behind. */
export async function openStore(
  openStorage: () => Promise<StorageOptions>,
  clock?: () => number,
): Promise<Database> {
  const folder = mkdtempDisposableSync(join(memoryFolder, 'export-jobs-'));
  const storage = await openStorage();
  const database = await openReady({ ...storage, dataDir: folder.path, ...(clock && { clock }) });
  return {
    ...database,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      folder.remove();
    },
  };
}
