import { openPostgres } from './postgres.ts';

/** Starts one PostgreSQL for the whole test run; each test gets a database of its own in it. */
export default async function startPostgres(): Promise<() => Promise<void>> {
  const postgres = await openPostgres();
  process.env.TEST_POSTGRES_URL = postgres.url; // test files run in processes of their own
  return async () => postgres[Symbol.asyncDispose]();
}
