import { type Dialect, PostgresDialect, type PostgresPoolClient, sql } from 'kysely';
import pg from 'pg';

import { configError } from '#problems/config-error.ts';
import type { Log } from '#telemetry/log.ts';
import type { Queries } from '../database.ts';
import { databaseUnavailable } from '../unavailable-problem.ts';
import { makeServerPool } from './pool.ts';
import { readPassword, readServers } from './servers.ts';

/** The time limits of PostgreSQL, in milliseconds. */
export interface PostgresLimits {
  connectMs: number;
  /** One statement. */
  statementMs: number;
  lockMs: number;
  /** Between two statements of a transaction. */
  idleInTransactionMs: number;
}

/** The limits in production. */
export const postgresLimits: PostgresLimits = {
  // Lower: a failover looks like an outage. Higher: callers time out first.
  connectMs: 2_000,
  statementMs: 4_000, // a request waits for it
  lockMs: 3_000,
  // A replica that is paused in a transaction locks rows that others wait for.
  idleInTransactionMs: 5_000,
};

const answerMarginMs = 1_000; // the server times out first, so the connection stays usable

/** What the dialect needs. */
export interface PostgresOptions {
  url: string;
  /** File with the password, read for each new connection; absent if it is in the URL. */
  passwordFile: string | undefined;
  connections: number;
  limits: PostgresLimits;
  /** Why no connection is allowed now; undefined when it is. */
  whyNotReady?: () => string | undefined;
  log: Log | undefined;
}

/**
 * The shared storage backend: PostgreSQL at a URL. It connects at the first query. A connection keeps no
 * session state, so a pooler may use another connection for each transaction.
 * @throws an error named ConfigError if the URL is invalid
 */
export function makePostgresDialect(options: PostgresOptions): Dialect {
  const { url, passwordFile, connections, whyNotReady, log } = options;
  const { connectMs, statementMs, lockMs, idleInTransactionMs } = options.limits;
  const begin = `begin; set local statement_timeout = ${statementMs}; set local lock_timeout = ${lockMs}; set local idle_in_transaction_session_timeout = ${idleInTransactionMs}`;
  const config: pg.PoolConfig = {
    max: connections,
    connectionTimeoutMillis: connectMs,
    query_timeout: statementMs + answerMarginMs,
    keepAlive: true,
    application_name: 'log-export-gateway',
    types: { getTypeParser },
    ...(passwordFile !== undefined && { password: () => readPassword(passwordFile) }),
  };
  const pool = makeServerPool(readServers(url), config, log);
  return new PostgresDialect({
    pool: {
      options: {},
      async connect() {
        const reason = whyNotReady?.();
        if (reason !== undefined) throw databaseUnavailable(reason);
        return translate(await pool.connect(), begin);
      },
      end: () => pool.end(),
    },
  });
}

/**
 * Checks the version and the durability of the server.
 * @throws an error named ConfigError if it is too old, or loses confirmed transactions in a crash
 */
export async function checkServer(queries: Queries): Promise<void> {
  const { rows } = await sql<{ version: number; commit: string }>`
    select current_setting('server_version_num')::int as version,
           current_setting('synchronous_commit') as commit`.execute(queries);
  const [{ version, commit } = { version: 0, commit: '' }] = rows;
  if (version < 150_000) {
    throw configError(
      `DATABASE_URL names a PostgreSQL of version ${Math.trunc(version / 10_000)}, but it must be version 15 or newer.`,
    );
  }
  if (commit === 'off') {
    throw configError(
      'DATABASE_URL names a database with synchronous_commit off, which loses accepted jobs in a crash; set it to on for the database or the role.',
    );
  }
}

/** Connection lost, resources, operator, I/O, timeouts and conflicts. */
const unavailable = /^(?:08|53|58|57P0|57014|55P03|25P03|25006|40P01|40001)/;

/** Wraps a connection: its failures become problems, and it is not used again after a connection failure. */
function translate(client: pg.PoolClient, begin: string): PostgresPoolClient {
  let lost: unknown;
  async function query(text: string, values: readonly unknown[]) {
    if (text === 'rollback' && lost) return { rows: [] }; // the server rolls back by itself
    if (lost) throw lost;
    try {
      return await client.query(text === 'begin' ? begin : text, [...values]);
    } catch (error) {
      if (error instanceof TypeError) throw error; // a value that cannot be sent is a defect here
      const { severity, code = '' } = error as { severity?: string; code?: string };
      const isOfServer = severity !== undefined;
      if (isOfServer && !unavailable.test(code)) throw error;
      const problem = databaseUnavailable(
        'The database did not answer within the time limit.',
        error,
      );
      // A read-only server is no longer the primary after a failover.
      if (severity !== 'ERROR' || code === '25006') lost = problem;
      throw problem;
    }
  }
  return {
    query: query as unknown as PostgresPoolClient['query'],
    release: () => client.release(lost !== undefined),
  };
}

// 64-bit columns contain epoch ms and counters, far below 2^53; their sums are numeric.
const numbers: number[] = [pg.types.builtins.INT8, pg.types.builtins.NUMERIC];

const getTypeParser = ((type: number, format?: 'text') =>
  numbers.includes(type)
    ? Number
    : pg.types.getTypeParser(type, format)) as typeof pg.types.getTypeParser;
