import { createDatabase, openPostgres } from './postgres.ts';
import { openReady } from './ready-database.ts';

/**
 * Starts one PostgreSQL for the whole test run. Each test creates its own database in it: a copy of one that
 * has its tables.
 */
export default async function startPostgres(): Promise<() => Promise<void>> {
  const postgres = await openPostgres({ isForTestRun: true });
  const databaseUrl = await createDatabase(postgres.url);
  await using _migrated = await openReady({ databaseUrl, dataDir: '' });
  // Test files run in other processes.
  process.env.TEST_POSTGRES_URL = postgres.url;
  process.env.TEST_POSTGRES_TEMPLATE = new URL(databaseUrl).pathname.slice(1);
  return async () => postgres[Symbol.asyncDispose]();
}
