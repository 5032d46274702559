import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { type DatabaseOptions, openDatabase } from '#database/open-database.ts';
import { postgresLimits } from '#database/postgres/dialect.ts';
import { createDatabase, openPostgres, type Postgres } from '../postgres.ts';
import { openReady, patientLimits } from '../ready-database.ts';
import { key, keysIn } from './homes.ts';
import { type Log, makeLog } from './log.ts';

// Its own server, because other tests need one that is not stopped.
let postgres: Postgres;
beforeAll(async () => {
  postgres = await openPostgres();
});
afterAll(() => postgres?.[Symbol.asyncDispose]());

const unavailable = { name: 'Problem', slug: 'database-unavailable' };

async function emptyDatabase(): Promise<DatabaseOptions & { databaseUrl: string; log: Log }> {
  const databaseUrl = await createDatabase(postgres.url);
  return { dataDir: '/nonexistent', databaseUrl, log: makeLog() };
}

/** Opens an empty database with one limit of production and others that a busy machine does not reach. */
const limited = async (name: keyof typeof postgresLimits) => ({
  ...(await emptyDatabase()),
  limits: { ...patientLimits, [name]: postgresLimits[name] },
});

/** Runs SQL on a connection of its own. */
async function elsewhere(url: string, text: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(text).finally(() => client.end());
}

async function readPid({ queries }: Pick<Database, 'queries'>): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(queries);
  return rows[0]?.pid ?? 0;
}

describe('returns database-unavailable, and the next query works,', () => {
  test('when a connection ends during a transaction', async () => {
    const options = await emptyDatabase();
    await using database = await openReady(options);

    const cut = database.transaction(async (queries) => {
      const pid = await readPid({ queries });
      await elsewhere(options.databaseUrl, `select pg_terminate_backend(${pid})`);
      await queries.insertInto('idempotencyKeys').values(key('lost')).execute();
    });

    await expect(cut).rejects.toMatchObject(unavailable);
    expect(await keysIn(database)).toEqual([]);
  });

  test('when an idle connection ends', async () => {
    const options = await emptyDatabase();
    await using database = await openReady(options);

    const pid = await readPid(database);
    await elsewhere(options.databaseUrl, `select pg_terminate_backend(${pid})`);
    await expect.poll(() => options.log.lines).toContain('a connection to the database was lost');

    expect(await keysIn(database)).toEqual([]);
  });

  test('when the database becomes read-only, with a new connection', async () => {
    await using database = await openReady(await emptyDatabase());
    const insert = () => database.queries.insertInto('idempotencyKeys').values(key('a')).execute();
    const pid = await readPid(database);
    await sql`set default_transaction_read_only = on`.execute(database.queries);

    await expect(insert()).rejects.toMatchObject({ ...unavailable, cause: { code: '25006' } });
    await insert();

    expect(await readPid(database)).not.toBe(pid);
  });

  test('when the server stops, after it has started again', async () => {
    await using database = await openReady(await emptyDatabase());
    await database.queries.insertInto('idempotencyKeys').values(key('kept')).execute();

    await postgres.stop('immediate');
    onTestFinished(async () => {
      if (postgres.pid() === undefined) await postgres.start();
    });
    await expect(keysIn(database)).rejects.toMatchObject(unavailable);
    await expect(database.transaction(readAll)).rejects.toMatchObject(unavailable);
    await postgres.start();

    expect(await keysIn(database)).toEqual(['kept']);
  });
});

const readAll = (queries: Database['queries']) => keysIn({ queries });

describe('conflicting transactions', () => {
  test('are both committed after a deadlock', async () => {
    await using database = await openReady(await emptyDatabase());
    await database.queries
      .insertInto('idempotencyKeys')
      .values([key('a'), key('b')])
      .execute();
    const met = Promise.withResolvers<void>();
    const committed = Promise.withResolvers<void>();
    let arrived = 0;
    let runs = 0;
    const touch = (queries: Database['queries'], name: string) =>
      queries
        .updateTable('idempotencyKeys')
        .set(({ eb }) => ({ createdAt: eb('createdAt', '+', 1) }))
        .where('key', '=', name)
        .execute();
    const both = async (first: string, second: string) => {
      await database.transaction(async (queries) => {
        runs += 1;
        if (runs > 2) await committed.promise; // or it may lock its first row again before the other does
        await touch(queries, first);
        arrived += 1;
        if (arrived === 2) met.resolve();
        await met.promise;
        await touch(queries, second);
      });
      committed.resolve();
    };

    await Promise.all([both('a', 'b'), both('b', 'a')]);
    const rows = await database.queries.selectFrom('idempotencyKeys').select('createdAt').execute();

    expect(runs).toBe(3); // one of them a second time
    expect(new Set(rows.map((row) => row.createdAt - key('').createdAt))).toEqual(new Set([2]));
  });

  test('fail after the third retry', async () => {
    await using database = await openReady(await emptyDatabase());
    let runs = 0;

    const hopeless = database.transaction(async (queries) => {
      runs += 1;
      await sql`do $$ begin raise exception 'collision' using errcode = '40001'; end $$`.execute(
        queries,
      );
    });

    await expect(hopeless).rejects.toMatchObject({ ...unavailable, cause: { code: '40001' } });
    expect(runs).toBe(4);
  });
});

test('applies limits in a transaction only, because a pooler shares connections', async () => {
  await using database = await openReady({ ...(await emptyDatabase()), limits: postgresLimits });
  const names = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'];
  const limits = async (queries: Database['queries']) => {
    const { rows } = await sql<{ setting: string }>`
      select setting from pg_settings where name in (${sql.join(names)}) order by name`.execute(
      queries,
    );
    return rows.map(({ setting }) => Number(setting));
  };

  const inside = await database.transaction(limits);

  expect(inside).toEqual([5_000, 3_000, 4_000]);
  expect(await limits(database.queries)).toEqual([0, 0, 0]);
});

describe('the start', () => {
  test('retries PostgreSQL until it answers, and fails all queries before', async () => {
    const options = await emptyDatabase();
    await postgres.stop('fast');
    onTestFinished(async () => {
      if (postgres.pid() === undefined) await postgres.start();
    });
    const pauses: number[] = [];
    const isBack = Promise.withResolvers<void>();

    await using database = await openDatabase({
      ...options,
      async sleep(ms) {
        pauses.push(ms);
        if (pauses.length > 3) await isBack.promise;
      },
    });
    await expect.poll(() => pauses).toEqual([500, 1_000, 2_000, 4_000]);
    const whileAway = database.whyNotReady();
    await expect(keysIn(database)).rejects.toMatchObject(unavailable);
    await postgres.start();
    isBack.resolve();
    await database.whenMigrated;

    expect(whileAway).toBe('This service cannot reach the database.');
    expect(database.whyNotReady()).toBeUndefined();
    expect(await keysIn(database)).toEqual([]);
    expect(options.log.lines).toContain('failed to connect to the database, retrying');
  });

  test('can be closed while PostgreSQL is down', async () => {
    const options = await emptyDatabase();
    const away = options.databaseUrl.replace(/:\d+\//, ':1/');

    const database = await openDatabase({ ...options, databaseUrl: away });
    await expect
      .poll(() => options.log.lines)
      .toContain('failed to connect to the database, retrying');
    await database[Symbol.asyncDispose]();

    await expect(keysIn(database)).rejects.toThrow();
  });

  test.each([
    [
      'a wrong password',
      (url: string) => url.replace(/:[0-9a-f]+@/, ':wr0ng@'),
      'password authentication failed',
    ],
    [
      'no such database',
      (url: string) => url.replace(/test_.*/, 'nowhere'),
      'database "nowhere" does not exist',
    ],
    ['a file that is not there', (url: string) => `${url}?sslrootcert=/nonexistent`, 'ENOENT'],
  ])('is rejected with %s', async (_what, mistake, words) => {
    const options = await emptyDatabase();
    const databaseUrl = mistake(options.databaseUrl);
    const { password } = new URL(databaseUrl);

    const error = await openReady({ ...options, databaseUrl }).catch((reason) => reason);

    expect(error).toMatchObject({ name: 'ConfigError', message: expect.stringContaining(words) });
    expect(error.message).toMatch(/^DATABASE_URL .*\.$/);
    expect(error.message).not.toContain(password);
  });

  test('rejects a server that can lose confirmed transactions', async () => {
    const options = await emptyDatabase();
    const name = new URL(options.databaseUrl).pathname.slice(1);
    await elsewhere(options.databaseUrl, `alter database ${name} set synchronous_commit = off`);

    await expect(openReady(options)).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining('synchronous_commit off'),
    });
  });

  test('accepts a role without the right to create tables when the tables exist', async () => {
    const options = await emptyDatabase();
    await using owner = await openReady(options);
    const role = `gateway_${Date.now()}`;
    await elsewhere(
      options.databaseUrl,
      `create role ${role} login password 'x'; grant all on all tables in schema public to ${role}`,
    );
    const asRole = (url: string) =>
      Object.assign(new URL(url), { username: role, password: 'x' }).href;

    await using user = await openReady({ ...options, databaseUrl: asRole(options.databaseUrl) });
    const empty = { ...options, databaseUrl: asRole(await createDatabase(postgres.url)) };

    expect(await keysIn(user)).toEqual(await keysIn(owner));
    await expect(openReady(empty)).rejects.toThrow(/refuses the gateway: permission denied/);
  });
});

// Each test waits for a timeout, so they run concurrently.
describe.concurrent('a timeout', () => {
  test('of a statement returns database-unavailable and rolls back', async () => {
    await using database = await openReady(await limited('statementMs'));

    const slow = database.transaction(async (queries) => {
      await queries.insertInto('idempotencyKeys').values(key('lost')).execute();
      await sql`select pg_sleep(30)`.execute(queries);
    });

    await expect(slow).rejects.toMatchObject({ ...unavailable, cause: { code: '57014' } });
    expect(await keysIn(database)).toEqual([]);
  });

  test('of a hanging server returns database-unavailable, and another connection replaces it', async ({
    onTestFinished,
  }) => {
    await using database = await openReady(await limited('statementMs'));
    const pid = await readPid(database);
    process.kill(pid, 'SIGSTOP');
    onTestFinished(() => void process.kill(pid, 'SIGCONT'));

    await expect(keysIn(database)).rejects.toMatchObject(unavailable);

    expect(await keysIn(database)).toEqual([]);
    expect(await readPid(database)).not.toBe(pid);
  });

  test('of a lock returns database-unavailable', async () => {
    const options = await limited('lockMs');
    await using database = await openReady(options);
    await database.queries.insertInto('idempotencyKeys').values(key('a')).execute();
    const update = (queries: Database['queries']) =>
      queries.updateTable('idempotencyKeys').set({ digest: 'x' }).execute();

    const second = await database.transaction(async (queries) => {
      await update(queries);
      return database.transaction(update).catch((error) => error);
    });

    expect(second).toMatchObject({ ...unavailable, cause: { code: '55P03' } });
  });

  test('of a paused transaction releases its rows', async () => {
    const options = await limited('idleInTransactionMs');
    await using database = await openReady(options);
    await database.queries.insertInto('idempotencyKeys').values(key('a')).execute();
    const paused = Promise.withResolvers<void>();
    const update = (queries: Database['queries']) =>
      queries.updateTable('idempotencyKeys').set({ digest: 'x' }).execute();

    const holding = database.transaction(async (queries) => {
      await update(queries);
      await paused.promise;
      await update(queries);
    });
    holding.catch(() => {});
    await expect.poll(() => options.log.lines).toHaveLength(1);
    await database.transaction(update);
    paused.resolve();

    await expect(holding).rejects.toMatchObject(unavailable);
  });
});
