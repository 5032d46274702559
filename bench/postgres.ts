import { createDatabase, openPostgres, type Postgres } from '../test/postgres.ts';

/** PostgreSQL for the figures that need it. The server starts with the first database. */
export interface Databases extends AsyncDisposable {
  /** Creates an empty database and returns its URL. */
  create(): Promise<string>;
}

/** Makes such a PostgreSQL. Its disposal stops the server. */
export function makeDatabases(): Databases {
  let server: Promise<Postgres> | undefined;
  return {
    async create() {
      const { TEST_POSTGRES_URL } = process.env; // a test of the benchmark has a server
      if (TEST_POSTGRES_URL) return createDatabase(TEST_POSTGRES_URL);
      server ??= openPostgres();
      return createDatabase((await server).url);
    },
    async [Symbol.asyncDispose]() {
      await (await server)?.[Symbol.asyncDispose]();
    },
  };
}
