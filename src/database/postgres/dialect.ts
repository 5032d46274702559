import { type Dialect, PostgresDialect, type PostgresPoolClient, sql } from 'kysely';
import pg from 'pg';

import { configError } from '#problems/config-error.ts';
import type { Log } from '#telemetry/log.ts';
import type { Queries } from '../database.ts';
import { databaseUnavailable } from '../unavailable-problem.ts';
import { makeServerPool } from './pool.ts';
import { readPassword, readServers } from './servers.ts';

/** How long PostgreSQL may take, in milliseconds. */
export interface PostgresLimits {
  connectMs: number;
  /** One statement. */
  statementMs: number;
  lockMs: number;
  /** Between two statements of a transaction. */
  idleInTransactionMs: number;
}

export const postgresLimits: PostgresLimits = {
  // Longer, and whoever asks has gone; shorter, and a failover looks like an outage.
  connectMs: 2_000,
  statementMs: 4_000, // a request waits for it
  lockMs: 3_000,
  // A replica that was paused in a transaction holds rows that others wait for.
  idleInTransactionMs: 5_000,
};

const answerMarginMs = 1_000; // the server gives up first, and the connection can be used again

export interface PostgresOptions {
  url: string;
  /** File with the password, read for each new connection; without it, the URL has it. */
  passwordFile: string | undefined;
  connections: number;
  limits: PostgresLimits;
  /** Why no connection may be had now; undefined when it may. */
  whyNotReady?: () => string | undefined;
  log: Log | undefined;
}

/**
 * The shared home: PostgreSQL at a URL. Nothing is connected before the first query, and nothing is
 * left behind on a connection, so that a pooler may hand each transaction another one.
 * @throws an error named ConfigError when the URL cannot be read
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
 * Makes sure that the server at the other end can be relied on.
 * @throws an error named ConfigError when it is too old, or forgets what it has confirmed
 */
export async function checkServer(queries: Queries): Promise<void> {
  const { rows } = await sql<{ version: number; commit: string }>`
    select current_setting('server_version_num')::int as version,
           current_setting('synchronous_commit') as commit`.execute(queries);
  const [{ version, commit } = { version: 0, commit: '' }] = rows;
  if (version < 150_000) {
    throw configError(
      `DATABASE_URL names a PostgreSQL ${Math.trunc(version / 10_000)}, but must name one of version 15 or newer.`,
    );
  }
  if (commit === 'off') {
    throw configError(
      'DATABASE_URL names a database with synchronous_commit off, which forgets accepted jobs when it crashes; set it to on for the database or the role.',
    );
  }
}

/** Connection lost, resources, operator, I/O; and what ends when it takes too long or collides. */
const unavailable = /^(?:08|53|58|57P0|57014|55P03|25P03|25006|40P01|40001)/;

/** A connection whose failures are problems, and which is not used again after a failure of its own. */
function translate(client: pg.PoolClient, begin: string): PostgresPoolClient {
  let lost: unknown;
  async function query(text: string, values: readonly unknown[]) {
    if (text === 'rollback' && lost) return { rows: [] }; // the server does it by itself
    if (lost) throw lost;
    try {
      return await client.query(text === 'begin' ? begin : text, [...values]);
    } catch (error) {
      if (error instanceof TypeError) throw error; // a value that cannot be sent: a defect of ours
      const { severity, code = '' } = error as { severity?: string; code?: string };
      const isOfServer = severity !== undefined;
      if (isOfServer && !unavailable.test(code)) throw error;
      const problem = databaseUnavailable(
        'The database did not answer within the time limit.',
        error,
      );
      // A server that has become read-only is the wrong one after a failover.
      if (severity !== 'ERROR' || code === '25006') lost = problem;
      throw problem;
    }
  }
  return {
    query: query as unknown as PostgresPoolClient['query'],
    release: () => client.release(lost !== undefined),
  };
}

// 64-bit columns are epoch ms and counters, far below 2^53; sums of them are numeric.
const numbers: number[] = [pg.types.builtins.INT8, pg.types.builtins.NUMERIC];

const getTypeParser = ((type: number, format?: 'text') =>
  numbers.includes(type)
    ? Number
    : pg.types.getTypeParser(type, format)) as typeof pg.types.getTypeParser;
