import { CamelCasePlugin, type Dialect, Kysely, type LogEvent, sql } from 'kysely';

import { databaseQueries } from '#diagnostics/database-queries.ts';
import type { Log } from '#telemetry/log.ts';
import { makeOutageLog } from '#telemetry/outage-log.ts';
import { backOffMs } from '#time/back-off.ts';
import { type AbortableSleep, sleepUntilAborted } from '#time/sleep.ts';
import type { Database, Queries } from './database.ts';
import { engineSql, notificationChannel } from './engine-sql.ts';
import { shareListener } from './listeners.ts';
import { migrate } from './migrate.ts';
import type { PostgresLimits } from './postgres/dialect.ts';
import { settingsError } from './postgres/settings-error.ts';
import { compactFile } from './sqlite/compact.ts';
import { codeOf, isUnavailable } from './unavailable-problem.ts';

/** The location of the database and, for tests, its clock. */
export interface DatabaseOptions {
  /** The URL of PostgreSQL; without it, SQLite in `dataDir` is used. */
  databaseUrl?: string | undefined;
  /** File with the password of PostgreSQL, read for each new connection; absent if it is in the URL. */
  databasePasswordFile?: string | undefined;
  dataDir: string;
  /** Replaces the clock of the database, in epoch ms. */
  clock?: () => number;
  log?: Log;
  /** The time limits of PostgreSQL; default: those of production. */
  limits?: PostgresLimits;
  /** How to wait between attempts to connect. */
  sleep?: AbortableSleep;
}

// Lower: building an index on a large table fails. Higher: a stuck migration is noticed later.
const migrationMs = 600_000;

// Between attempts to connect to PostgreSQL at the start.
const pauses = { firstMs: 500, maxMs: 15_000 };

/** Deadlock and serialization failure: the database rolled the transaction back. */
const conflicts = ['40P01', '40001'];
const maxRetries = 3;

/** Timeouts of a lock and of a statement: they end one statement, while the database works. */
const timeouts = ['55P03', '57014'];

/**
 * Opens the database. SQLite is ready at once. PostgreSQL may be down: then connecting is retried, and
 * every query fails with database-unavailable until its tables are up to date.
 * @throws an error named ConfigError if DATA_DIR or DATABASE_URL is not usable
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, databasePasswordFile, clock, log } = options;
  if (databaseUrl === undefined) {
    const { database } = await openSqlite(options);
    return {
      ...database,
      ...notifyInProcess(),
      whenMigrated: Promise.resolve(),
      whyNotReady: () => undefined,
    };
  }
  // Loaded on demand, so that SQLite does not load the driver of PostgreSQL.
  const { makePostgresDialect, postgresLimits } = await import('./postgres/dialect.ts');
  const { openListener } = await import('./postgres/listener.ts');
  const start = startMigrating({ ...options, databaseUrl });
  const { whenMigrated, whyNotReady } = start;
  const { limits = postgresLimits, sleep = sleepUntilAborted } = options;
  const dialect = makePostgresDialect({
    url: databaseUrl,
    passwordFile: databasePasswordFile,
    connections: 10,
    limits,
    whyNotReady,
    log,
  });
  const database = makeDatabase('postgres', dialect, clock);
  return {
    ...database,
    listen: shareListener((act) =>
      openListener(
        {
          url: databaseUrl,
          passwordFile: databasePasswordFile,
          whenReady: whenMigrated,
          connectMs: limits.connectMs,
          sleep,
          log,
        },
        act,
      ),
    ),
    whenMigrated,
    whyNotReady,
    async [Symbol.asyncDispose]() {
      await start.stop();
      await database[Symbol.asyncDispose]();
    },
  };
}

/**
 * Brings the tables up to date and closes the database. Returns the names of the applied migrations.
 * @throws an error named ConfigError like `openDatabase`; Problem database-unavailable
 */
export async function migrateDatabase(options: DatabaseOptions): Promise<string[]> {
  const { databaseUrl, databasePasswordFile, clock } = options;
  if (databaseUrl === undefined) {
    const { database, applied } = await openSqlite(options);
    await database[Symbol.asyncDispose]();
    return applied;
  }
  const postgres = await import('./postgres/dialect.ts');
  const limits = { ...postgres.postgresLimits, ...options.limits, statementMs: migrationMs };
  const dialect = postgres.makePostgresDialect({
    url: databaseUrl,
    passwordFile: databasePasswordFile,
    connections: 1,
    limits,
    log: undefined, // the caller reports the result
  });
  await using database = makeDatabase('postgres', dialect, clock);
  try {
    await postgres.checkServer(database.queries);
    return await migrate(database);
  } catch (error) {
    throw settingsError(error) ?? error;
  }
}

/** Retries until the tables in PostgreSQL are up to date, or an error is permanent. */
function startMigrating(options: DatabaseOptions) {
  const { log, sleep = sleepUntilAborted } = options;
  const outage = makeOutageLog({ log });
  const stopping = new AbortController();
  let reason: string | undefined = 'This service is connecting to the database.';

  async function migrateUntilDone(): Promise<void> {
    for (let failures = 0; ; failures += 1) {
      try {
        await migrateDatabase(options);
        reason = undefined;
        outage.worked({}, 'connected to the database');
        return;
      } catch (err) {
        if (!isUnavailable(err)) throw err;
        reason = 'This service cannot reach the database.';
        outage.failed({ problem: err.slug, err }, 'failed to connect to the database, retrying');
        await sleep(backOffMs(failures, pauses), stopping.signal);
        if (stopping.signal.aborted) return;
      }
    }
  }

  const whenMigrated = migrateUntilDone();
  whenMigrated.catch(() => {}); // a failure goes to those who await it
  return {
    whenMigrated,
    whyNotReady: () => reason,
    async stop() {
      stopping.abort();
      await whenMigrated.catch(() => {});
    },
  };
}

/** Notifications of SQLite, which one process uses. A listener that queries waits for the transaction. */
function notifyInProcess(): Pick<Database, 'notify' | 'listen'> {
  let tell = (_text: string) => {};
  return {
    notify: async (_queries, text) => tell(text),
    listen: shareListener((act) => {
      tell = act;
      return {
        [Symbol.dispose]() {
          tell = () => {};
        },
      };
    }),
  };
}

type OpenDatabase = Omit<Database, 'whenMigrated' | 'whyNotReady' | 'listen'>;

async function openSqlite({ dataDir, clock }: DatabaseOptions) {
  // Loaded on demand, so that PostgreSQL does not load the driver of SQLite.
  const { makeSqliteDialect, sqliteSettingsError } = await import('./sqlite/dialect.ts');
  const database = makeDatabase('sqlite', makeSqliteDialect(dataDir), clock);
  try {
    return { database, applied: await migrate(database) };
  } catch (error) {
    await database[Symbol.asyncDispose]();
    throw isUnavailable(error) ? sqliteSettingsError(dataDir, error) : error;
  }
}

function makeDatabase(
  kind: Database['kind'],
  dialect: Dialect,
  clock: DatabaseOptions['clock'],
): OpenDatabase {
  const plugins = [new CamelCasePlugin()];
  const queries: Queries = new Kysely({ dialect, plugins, log: publishQuery });
  return {
    kind,
    queries,
    async transaction(act) {
      for (let retries = 0; ; retries += 1) {
        try {
          return await queries.transaction().execute(act);
        } catch (error) {
          if (retries === maxRetries || !conflicts.includes(codeOf(error) ?? '')) throw error;
        }
      }
    },
    async checkpoint() {
      if (kind === 'sqlite') await sql`pragma wal_checkpoint(passive)`.execute(queries);
    },
    compact: async (maxPages) => kind === 'sqlite' && compactFile(queries, maxPages),
    async notify(queries, text) {
      if (kind === 'postgres')
        await sql`select pg_notify(${notificationChannel}, ${text})`.execute(queries);
    },
    now: () => (clock ? sql<number>`cast(${clock()} as bigint)` : engineSql[kind].now),
    [Symbol.asyncDispose]: () => queries.destroy(),
  };
}

function publishQuery(event: LogEvent): void {
  databaseQueries.publish({
    durationMs: event.queryDurationMillis,
    isUnavailable: event.level === 'error' && isAway(event.error),
  });
}

function isAway(error: unknown): boolean {
  return isUnavailable(error) && ![...conflicts, ...timeouts].includes(codeOf(error) ?? '');
}
