import { CamelCasePlugin, type Dialect, Kysely, sql } from 'kysely';

import type { Log } from '#telemetry/log.ts';
import { backOffMs } from '#time/back-off.ts';
import { type AbortableSleep, sleepUntilAborted } from '#time/sleep.ts';
import type { Database, Queries } from './database.ts';
import { engineSql } from './engine-sql.ts';
import { migrate } from './migrate.ts';
import type { PostgresLimits } from './postgres/dialect.ts';
import { settingsError } from './postgres/mistakes.ts';
import { codeOf, isUnavailable } from './unavailable-problem.ts';

/** Where the database is, and for tests its clock. */
export interface DatabaseOptions {
  /** PostgreSQL; without it, SQLite in `dataDir`. */
  databaseUrl?: string | undefined;
  /** File with the password of PostgreSQL, read for each new connection; without it, the URL has it. */
  databasePasswordFile?: string | undefined;
  dataDir: string;
  /** The clock instead of the database's own, in epoch ms. */
  clock?: () => number;
  log?: Log;
  /** How long PostgreSQL may take; as in production when absent. */
  limits?: PostgresLimits;
  /** How to wait until PostgreSQL is tried again. */
  sleep?: AbortableSleep;
}

// Building an index over a full table may take its time.
const migratingMs = 600_000;

// Pauses before PostgreSQL is tried again at the start.
const pauses = { firstMs: 500, maxMs: 15_000 };

/** Deadlock and serialization failure: one of those in each other's way was undone. */
const collisions = ['40P01', '40001'];
const maxRetries = 3;

/**
 * Opens the database. SQLite is ready at once. PostgreSQL may be away: then it is tried again and
 * again, and until its tables are up to date every query fails with database-unavailable.
 * @throws an error named ConfigError when DATA_DIR or DATABASE_URL cannot be used
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, databasePasswordFile, clock, log } = options;
  if (databaseUrl === undefined) {
    const { database } = await openSqlite(options);
    return { ...database, whenMigrated: Promise.resolve(), whyNotReady: () => undefined };
  }
  // Who uses SQLite need not load it.
  const { makePostgresDialect, postgresLimits } = await import('./postgres/dialect.ts');
  const start = startMigrating({ ...options, databaseUrl });
  const { whenMigrated, whyNotReady } = start;
  const server = { url: databaseUrl, passwordFile: databasePasswordFile };
  const { limits = postgresLimits } = options;
  const serving = { connections: 10, limits, whyNotReady, log };
  const dialect = makePostgresDialect({ ...server, ...serving });
  const database = makeDatabase('postgres', dialect, clock);
  return {
    ...database,
    whenMigrated,
    whyNotReady,
    async [Symbol.asyncDispose]() {
      await start.stop();
      await database[Symbol.asyncDispose]();
    },
  };
}

/**
 * Brings the tables up to date and lets go of the database; the names of what was applied.
 * @throws an error named ConfigError as `openDatabase` does; Problem database-unavailable
 */
export async function migrateDatabase(options: DatabaseOptions): Promise<string[]> {
  const { databaseUrl, databasePasswordFile, clock } = options;
  if (databaseUrl === undefined) {
    const { database, applied } = await openSqlite(options);
    await database[Symbol.asyncDispose]();
    return applied;
  }
  const postgres = await import('./postgres/dialect.ts');
  const server = { url: databaseUrl, passwordFile: databasePasswordFile };
  const limits = { ...postgres.postgresLimits, ...options.limits, statementMs: migratingMs };
  // Without a log: the caller of this function says what came of it.
  const how = { connections: 1, limits, log: undefined };
  const dialect = postgres.makePostgresDialect({ ...server, ...how });
  await using database = makeDatabase('postgres', dialect, clock);
  try {
    await postgres.checkServer(database.queries);
    return await migrate(database);
  } catch (error) {
    throw settingsError(error) ?? error;
  }
}

/** Tries until PostgreSQL is there and its tables are up to date, or never will be. */
function startMigrating(options: DatabaseOptions) {
  const { log, sleep = sleepUntilAborted } = options;
  const stopping = new AbortController();
  let reason: string | undefined = 'This service is connecting to the database.';

  async function migrateUntilDone(): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      try {
        await migrateDatabase(options);
        reason = undefined;
        return;
      } catch (err) {
        if (!isUnavailable(err)) throw err;
        reason = 'This service cannot reach the database.';
        const retryInMs = backOffMs(failures, pauses);
        log?.warn({ err, retryInMs }, 'failed to connect to the database, retrying');
        await sleep(retryInMs, stopping.signal);
        if (stopping.signal.aborted) return;
      }
    }
  }

  const whenMigrated = migrateUntilDone();
  whenMigrated.catch(() => {}); // whoever waits for it hears of it
  return {
    whenMigrated,
    whyNotReady: () => reason,
    async stop() {
      stopping.abort();
      await whenMigrated.catch(() => {});
    },
  };
}

type OpenDatabase = Omit<Database, 'whenMigrated' | 'whyNotReady'>;

async function openSqlite({ dataDir, clock }: DatabaseOptions) {
  // Who uses PostgreSQL need not load it.
  const { makeSqliteDialect, sqliteMistake } = await import('./sqlite/dialect.ts');
  const database = makeDatabase('sqlite', makeSqliteDialect(dataDir), clock);
  try {
    return { database, applied: await migrate(database) };
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw isUnavailable(error) ? sqliteMistake(dataDir, error) : error;
  }
}

function makeDatabase(
  kind: Database['kind'],
  dialect: Dialect,
  clock: DatabaseOptions['clock'],
): OpenDatabase {
  const queries: Queries = new Kysely({ dialect, plugins: [new CamelCasePlugin()] });
  return {
    kind,
    queries,
    async transaction(act) {
      for (let retries = 0; ; retries += 1) {
        try {
          return await queries.transaction().execute(act);
        } catch (error) {
          if (retries === maxRetries || !collisions.includes(codeOf(error) ?? '')) throw error;
        }
      }
    },
    now: () => (clock ? sql<number>`cast(${clock()} as bigint)` : engineSql[kind].now),
    [Symbol.asyncDispose]: () => queries.destroy(),
  };
}
