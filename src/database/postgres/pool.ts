import pg from 'pg';

import { databaseQueries } from '#diagnostics/database-queries.ts';
import type { Problem } from '#problems/problem.ts';
import type { Log } from '#telemetry/log.ts';
import { makeOutageLog } from '#telemetry/outage-log.ts';
import { databaseUnavailable } from '../unavailable-problem.ts';
import type { Servers } from './servers.ts';
import { settingsError } from './settings-error.ts';

/** Connections to the primary among the named servers. */
export interface ServerPool {
  /** @throws Problem database-unavailable */
  connect(): Promise<pg.PoolClient>;
  end(): Promise<void>;
}

/**
 * Makes the pool. It connects at the first call. Of several servers, the one that worked last is tried
 * first. Standbys are skipped, so the pool follows a failover.
 */
export function makeServerPool(
  servers: Servers,
  config: pg.PoolConfig,
  log: Log | undefined,
): ServerPool {
  const pools = servers.map((server) => openPool({ ...server, ...config }, log));
  const knownWritable = new WeakSet<pg.PoolClient>();
  let preferred = 0;
  const outage = makeOutageLog({ log });

  async function connectTo(pool: pg.Pool): Promise<pg.PoolClient> {
    const client = await pool.connect();
    if (pools.length === 1 || knownWritable.has(client)) return client;
    try {
      const { rows } = await client.query('show transaction_read_only');
      if (rows[0]?.transaction_read_only !== 'off') throw new Error(`${client.host} is a standby`);
    } catch (error) {
      client.release(true);
      throw error;
    }
    knownWritable.add(client);
    return client;
  }

  async function connectToAny(): Promise<pg.PoolClient> {
    let failure: unknown;
    for (let tried = 0; tried < pools.length; tried += 1) {
      const index = (preferred + tried) % pools.length;
      try {
        const client = await connectTo(pools[index] as pg.Pool);
        preferred = index;
        return client;
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }

  function logOutage(err: Problem): void {
    const mistake = settingsError(err);
    const facts = { problem: err.slug, err };
    if (mistake) outage.failed(facts, mistake.message, { alarmAfterMs: 0 });
    else outage.failed(facts, 'database unreachable, retrying');
  }

  return {
    async connect() {
      try {
        const client = await connectToAny();
        outage.worked({}, 'database reachable again');
        return client;
      } catch (failure) {
        const problem = databaseUnavailable('This service cannot reach the database.', failure);
        databaseQueries.publish({ durationMs: undefined, isUnavailable: true });
        logOutage(problem);
        throw problem;
      }
    },
    async end() {
      await Promise.all(pools.map((pool) => pool.end()));
    },
  };
}

function openPool(config: pg.PoolConfig, log: Log | undefined): pg.Pool {
  const pool = new pg.Pool(config);
  // Without listeners, a lost connection would end the process. A connection may fail twice, but is logged once.
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    client.once('error', (failure) => {
      const err = databaseUnavailable('The connection was lost.', failure);
      log?.warn({ err }, 'a connection to the database was lost');
    });
    client.on('error', () => {});
  });
  return pool;
}
