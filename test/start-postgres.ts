import { openPostgres } from './postgres.ts';

/** Starts one PostgreSQL for the whole test run. Each test creates its own database in it. */
export default async function startPostgres(): Promise<() => Promise<void>> {
  const postgres = await openPostgres({ isForTestRun: true });
  process.env.TEST_POSTGRES_URL = postgres.url; // test files run in other processes
  return async () => postgres[Symbol.asyncDispose]();
}
