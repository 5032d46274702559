import { createDatabase, openPostgres, type Postgres } from '../test/postgres.ts';

/** PostgreSQL for those figures that need it: nothing runs before the first one asks. */
export interface Databases extends AsyncDisposable {
  /** Creates an empty database; its URL. */
  create(): Promise<string>;
}

/** Makes such a PostgreSQL; it is gone when disposed of. */
export function makeDatabases(): Databases {
  let server: Promise<Postgres> | undefined;
  return {
    async create() {
      server ??= openPostgres();
      return createDatabase((await server).url);
    },
    async [Symbol.asyncDispose]() {
      await (await server)?.[Symbol.asyncDispose]();
    },
  };
}
