import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { memoryFolder } from './memory-folder.ts';
import { createDatabase, openPostgres } from './postgres.ts';
import { openReady } from './ready-database.ts';

/**
 * Starts one PostgreSQL for the whole test run, and makes a database with all tables in it and one of SQLite.
 * Each test has a copy of one of them.
 */
export default async function startDatabases(): Promise<() => Promise<void>> {
  const postgres = await openPostgres({ isForTestRun: true });
  const databaseUrl = await createDatabase(postgres.url);
  const dataDir = mkdtempSync(join(memoryFolder, 'sqlite-template-'));
  for (const storage of [{ databaseUrl, dataDir: '' }, { dataDir }]) {
    await using _migrated = await openReady(storage);
  }
  // Test files run in other processes.
  process.env.TEST_POSTGRES_URL = postgres.url;
  process.env.TEST_POSTGRES_FOLDER = postgres.folder;
  process.env.TEST_POSTGRES_TEMPLATE = new URL(databaseUrl).pathname.slice(1);
  process.env.TEST_SQLITE_TEMPLATE = dataDir;
  return async () => {
    rmSync(dataDir, { recursive: true });
    await postgres[Symbol.asyncDispose]();
  };
}
