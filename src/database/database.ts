import { CamelCasePlugin, Kysely, type RawBuilder, sql, type Transaction } from 'kysely';
import { Migrator } from 'kysely/migration';

import { exportJobs } from './migrations/0001-export-jobs.ts';
import { makePostgresDialect } from './postgres.ts';
import { makeSqliteDialect } from './sqlite.ts';
import type { Tables } from './tables.ts';

/** Something to run queries on: the database, or a transaction in it. */
export type Queries = Kysely<Tables>;

/** The database, in either of its homes. Failures to reach it are `Problem`s. */
export interface Database extends AsyncDisposable {
  kind: 'sqlite' | 'postgres';
  queries: Queries;
  /** Runs statements as one; they are on disk when it resolves. */
  transaction<Result>(act: (queries: Transaction<Tables>) => Promise<Result>): Promise<Result>;
  /** The clock of the database in epoch ms, as an expression: the only clock rows are written by. */
  now: () => RawBuilder<number>;
}

/** Where the database is, and for tests its clock. */
export interface DatabaseOptions {
  /** PostgreSQL; without it, SQLite in `dataDir`. */
  databaseUrl?: string | undefined;
  dataDir: string;
  /** The clock instead of the database's own, in epoch ms. */
  clock?: () => number;
}

const clocks = {
  sqlite: sql<number>`cast(unixepoch('subsec') * 1000 as integer)`,
  postgres: sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`,
};

/** Opens the database and brings its tables up to date. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, dataDir, clock } = options;
  const kind = databaseUrl === undefined ? 'sqlite' : 'postgres';
  const queries = new Kysely<Tables>({
    dialect: databaseUrl ? makePostgresDialect(databaseUrl) : makeSqliteDialect(dataDir),
    plugins: [new CamelCasePlugin()],
  });
  const migrator = new Migrator({
    db: queries,
    provider: { getMigrations: async () => ({ '0001-export-jobs': exportJobs }) },
  });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
  return {
    kind,
    queries,
    transaction: (act) => queries.transaction().execute(act),
    now: () => (clock ? sql<number>`cast(${clock()} as bigint)` : clocks[kind]),
    [Symbol.asyncDispose]: () => queries.destroy(),
  };
}
