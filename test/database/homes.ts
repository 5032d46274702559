import { mkdtempDisposableSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

import type { Database } from '#database/database.ts';
import type { DatabaseOptions } from '#database/open-database.ts';
import { memoryFolder } from '../memory-folder.ts';
import { emptyPostgresUrl } from '../postgres-databases.ts';

/** A directory that is removed after the test, or when `whenDone` says. */
export function temporaryDir(whenDone: (remove: () => void) => void = onTestFinished): string {
  const folder = mkdtempDisposableSync(join(memoryFolder, 'database-'));
  whenDone(() => folder.remove());
  return folder.path;
}

/** The options of an empty database of this kind. It lasts as long as `temporaryDir`. */
export async function emptyStorage(
  kind: Database['kind'],
  whenDone?: (remove: () => void) => void,
): Promise<DatabaseOptions> {
  if (kind === 'sqlite') return { dataDir: temporaryDir(whenDone) };
  return { dataDir: '/nonexistent', databaseUrl: await emptyPostgresUrl() };
}

/** A row that references no other. */
export const key = (name: string) => ({
  caller: 'test',
  key: name,
  digest: '',
  jobId: 'none',
  createdAt: 1_714_521_600_000,
});

/** The names of the rows that `key` made. */
export async function keysIn({ queries }: Pick<Database, 'queries'>): Promise<string[]> {
  const rows = await queries.selectFrom('idempotencyKeys').select('key').orderBy('key').execute();
  return rows.map((row) => row.key);
}
