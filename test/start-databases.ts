import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { memoryFolder } from './memory-folder.ts';
import { createDatabase, openPostgres } from './postgres.ts';
import { openReady } from './ready-database.ts';

/**
 * Starts one PostgreSQL for the whole test run, and makes a database with all tables in it and one of SQLite.
 * Each test has a copy of one of them, or a copy that an earlier test has closed and that was emptied.
 */
export default async function startDatabases(): Promise<() => Promise<void>> {
  const postgres = await openPostgres({ isForTestRun: true });
  const databaseUrl = await createDatabase(postgres.url);
  const dataDir = mkdtempSync(join(memoryFolder, 'sqlite-template-'));
  await using _sqlite = await openReady({ dataDir });
  await using migrated = await openReady({ databaseUrl, dataDir: '' });
  const tables = await migrated.queries.introspection.getTables();
  // Only these two have rows that no test writes.
  const emptied = tables.filter(({ name }) => !['migrations', 'installation'].includes(name));
  // Test files run in other processes.
  process.env.TEST_POSTGRES_URL = postgres.url;
  process.env.TEST_POSTGRES_FOLDER = postgres.folder;
  process.env.TEST_POSTGRES_TEMPLATE = new URL(databaseUrl).pathname.slice(1);
  process.env.TEST_POSTGRES_TABLES = emptied.map(({ name }) => name).join(' ');
  process.env.TEST_SQLITE_TEMPLATE = dataDir;
  return async () => {
    rmSync(dataDir, { recursive: true });
    await postgres[Symbol.asyncDispose]();
  };
}
