import { closeSync, mkdirSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { Database } from '#database/database.ts';
import { openDatabase } from '#database/open-database.ts';
import { sqliteSettingsError } from '#database/sqlite/dialect.ts';
import { openReady } from '../ready-database.ts';
import { countTurns } from '../turns.ts';
import { emptyStorage, key, keysIn, temporaryDir } from './homes.ts';

const unavailable = { name: 'Problem', slug: 'database-unavailable' };

test('syncs every commit to disk and enforces foreign keys', async () => {
  await using database = await openReady(await emptyStorage('sqlite'));
  const read = async (pragma: string) => {
    const { rows } = await sql`${sql.raw(`pragma ${pragma}`)}`.execute(database.queries);
    return Object.values(rows[0] as object)[0];
  };

  expect(await read('journal_mode')).toBe('wal');
  expect(await read('synchronous')).toBe(2); // full
  expect(await read('foreign_keys')).toBe(1);
  expect(await read('locking_mode')).toBe('exclusive');
});

describe('a file whose rows were deleted', () => {
  const sizeOf = (dataDir: string) => statSync(join(dataDir, 'export-jobs.sqlite')).size;
  const fill = async (database: Database) => {
    const event = { jobId: 'none', at: 0, type: '', data: 'x'.repeat(3_000) };
    for (let from = 0; from < 6_000; from += 1_000) {
      const rows = Array.from({ length: 1_000 }, (_, n) => ({ ...event, version: from + n }));
      await database.queries.insertInto('events').values(rows).execute();
    }
  };
  const compact = async (database: Database) => {
    let steps = 0;
    while (await database.compact(200)) steps += 1;
    return steps;
  };
  /** Fills a file and deletes everything. Returns its size before, and the steps of giving space back. */
  async function fillAndDelete(dataDir: string) {
    await using database = await openReady({ dataDir });
    await fill(database);
    await sql`pragma wal_checkpoint(truncate)`.execute(database.queries);
    const before = sizeOf(dataDir);
    await database.queries.deleteFrom('events').execute();
    return { before, steps: await compact(database) };
  }

  test('has what was committed after a checkpoint', async () => {
    const dataDir = temporaryDir();
    await using database = await openReady({ dataDir });
    const event = { jobId: 'none', version: 1, at: 0, type: '', data: 'x'.repeat(1_000_000) };
    await database.queries.insertInto('events').values(event).execute();
    const before = sizeOf(dataDir);

    await database.checkpoint();

    expect(before).toBeLessThan(1_000_000);
    expect(sizeOf(dataDir)).toBeGreaterThan(1_000_000);
  });

  test('shrinks in small steps', async () => {
    const dataDir = temporaryDir();

    const { before, steps } = await fillAndDelete(dataDir);

    expect(before).toBeGreaterThan(20_000_000);
    expect(steps).toBeGreaterThan(20);
    expect(sizeOf(dataDir)).toBeLessThan(6_000_000);
  });

  test('of an earlier version is converted at a start, and shrinks', async () => {
    const dataDir = temporaryDir();
    {
      await using database = await openReady({ dataDir });
      await fill(database);
    }
    withoutAutoVacuum(dataDir);

    {
      await using database = await openReady({ dataDir });
      await database.queries.deleteFrom('events').execute();
      await compact(database);
    }

    expect(sizeOf(dataDir)).toBeLessThan(6_000_000);
  });

  test('of an earlier version is not converted while it has more than 64 MiB, and works', async () => {
    const dataDir = temporaryDir();
    {
      await using database = await openReady({ dataDir });
      const event = { jobId: 'none', at: 0, type: '', data: 'x'.repeat(8_000_000) };
      for (let version = 0; version < 9; version += 1)
        await database.queries
          .insertInto('events')
          .values({ ...event, version })
          .execute();
    }
    withoutAutoVacuum(dataDir);
    {
      await using database = await openReady({ dataDir });
      await database.queries.deleteFrom('events').execute();
      expect(await compact(database)).toBe(0);
    }
    expect(sizeOf(dataDir)).toBeGreaterThan(70_000_000);

    await using database = await openReady({ dataDir }); // now its rows are few
    expect(sizeOf(dataDir)).toBeGreaterThan(0);
    const { rows } = await sql<{ autoVacuum: number }>`pragma auto_vacuum`.execute(
      database.queries,
    );
    expect(rows).toEqual([{ autoVacuum: 2 }]);
  });

  /** Makes the file as an earlier version made it. */
  function withoutAutoVacuum(dataDir: string): void {
    const file = new DatabaseSync(join(dataDir, 'export-jobs.sqlite'));
    file.exec('pragma auto_vacuum = none; vacuum;');
    file.close();
  }
});

test('yields to timers and sockets in a loop of queries', async () => {
  await using database = await openReady(await emptyStorage('sqlite'));
  let hasTurned = false;
  setTimeout(() => {
    hasTurned = true;
  });

  let queries = 0;
  for (; !hasTurned && queries < 20_000; queries += 1) await keysIn(database);

  expect(queries).toBeLessThan(20_000);
});

test('yields to timers and sockets in a transaction of many queries', async () => {
  await using database = await openReady(await emptyStorage('sqlite'));
  using turns = countTurns();

  await database.transaction(async (queries) => {
    for (let query = 0; query < 200; query += 1)
      await queries.selectFrom('jobs').select('id').limit(1).execute();
  });

  expect(turns.count).toBeGreaterThanOrEqual(9);
});

test('yields to timers and sockets after each long query', async () => {
  await using database = await openReady(await emptyStorage('sqlite'));
  using turns = countTurns();

  for (let query = 0; query < 4; query += 1)
    await sql`
      with recursive numbers(n) as (select 1 union all select n + 1 from numbers where n < 1000000)
      select count(*) from numbers
    `.execute(database.queries);

  expect(turns.count).toBeGreaterThanOrEqual(3);
});

test('returns database-unavailable and rolls back on a full disk, until there is space again', async () => {
  await using database = await openReady(await emptyStorage('sqlite'));
  const { queries } = database;
  await queries.insertInto('idempotencyKeys').values(key('kept')).execute();
  const { rows } = await sql<{ pageCount: number }>`pragma page_count`.execute(queries);
  const setRoom = (pages: number) =>
    sql`${sql.raw(`pragma max_page_count = ${pages}`)}`.execute(queries);
  await setRoom(rows[0]?.pageCount ?? 0);
  const large = { ...key('large'), digest: 'x'.repeat(100_000) };

  const write = () =>
    database.transaction(async (inside) => {
      await inside.insertInto('idempotencyKeys').values(key('small')).execute();
      await inside.insertInto('idempotencyKeys').values(large).execute();
    });
  const failure = await write().catch((error) => error);
  const whileFull = await keysIn(database);
  await setRoom(1_000_000);
  await write();

  expect(failure).toMatchObject({
    ...unavailable,
    cause: {
      message: expect.stringMatching(/^DATA_DIR is on a full disk; free some space \(.+\)\.$/),
    },
  });
  expect(sqliteSettingsError('/data', failure).message).toMatch(
    /^DATA_DIR is "\/data", which is on a full disk; free some space\.$/,
  );
  expect(whileFull).toEqual(['kept']);
  expect(await keysIn(database)).toEqual(['kept', 'large', 'small']);
});

test('creates a missing directory for its user only', async () => {
  const dataDir = join(temporaryDir(), 'not', 'there');

  await using _database = await openReady({ dataDir });

  expect(statSync(dataDir).mode & 0o777).toBe(0o700);
});

test.each([
  ['is a file', (dataDir: string) => writeFileSync(dataDir, '')],
  [
    'has something else in the place of the database',
    (dataDir: string) => mkdirSync(join(dataDir, 'export-jobs.sqlite'), { recursive: true }),
  ],
])('rejects a DATA_DIR that %s', async (_what, prepare) => {
  const dataDir = join(temporaryDir(), 'data');
  prepare(dataDir);

  await expect(openDatabase({ dataDir })).rejects.toMatchObject({
    name: 'ConfigError',
    message: expect.stringMatching(
      /^DATA_DIR is ".+", which must be a directory this process may write to \(.+\)\.$/,
    ),
  });
});

describe('a damaged file', () => {
  const file = (dataDir: string) => join(dataDir, 'export-jobs.sqlite');
  const pageBytes = 4_096;
  const garbage = Buffer.alloc(pageBytes, 0x55);

  /** A file in which the first pages of one table and its index are overwritten. */
  async function damage(table: string): Promise<string> {
    const dataDir = temporaryDir();
    let pages: { page: number }[] = [];
    {
      await using database = await openReady({ dataDir });
      const found = await sql<{ page: number }>`
        select rootpage as page from sqlite_schema where tbl_name = ${table} and rootpage > 0`.execute(
        database.queries,
      );
      pages = found.rows;
    }
    const handle = openSync(file(dataDir), 'r+');
    for (const { page } of pages) writeSync(handle, garbage, 0, pageBytes, (page - 1) * pageBytes);
    closeSync(handle);
    return dataDir;
  }

  test.each([
    [
      'that is no database',
      async () => {
        const dataDir = temporaryDir();
        writeFileSync(file(dataDir), 'no database '.repeat(100));
        return dataDir;
      },
    ],
    ['whose pages are overwritten', () => damage('migrations')],
  ])('is rejected at the start with a remedy: one %s', async (_what, prepare) => {
    const dataDir = await prepare();

    await expect(openDatabase({ dataDir })).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(
        / which contains a damaged export-jobs\.sqlite; restore a backup/,
      ),
    });
  });

  test('returns database-unavailable at run time', async () => {
    await using database = await openReady({ dataDir: await damage('idempotency_keys') });

    await expect(keysIn(database)).rejects.toMatchObject({
      ...unavailable,
      cause: {
        message: expect.stringMatching(/^DATA_DIR contains a damaged export-jobs\.sqlite; /),
      },
    });
  });
});
