import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';

import { openDatabase } from '#database/database.ts';
import { openReady } from '../ready-database.ts';
import { emptyHome, key, keysIn, temporaryDir } from './homes.ts';

const unavailable = { name: 'Problem', slug: 'database-unavailable' };

test('every commit is on the disk, and foreign keys hold', async () => {
  await using database = await openReady(await emptyHome('sqlite'));
  const read = async (pragma: string) => {
    const { rows } = await sql`${sql.raw(`pragma ${pragma}`)}`.execute(database.queries);
    return Object.values(rows[0] as object)[0];
  };

  expect(await read('journal_mode')).toBe('wal');
  expect(await read('synchronous')).toBe(2); // full
  expect(await read('foreign_keys')).toBe(1);
  expect(await read('locking_mode')).toBe('exclusive');
});

test('a full disk is database-unavailable, undoes the transaction, and is over when there is room', async () => {
  await using database = await openReady(await emptyHome('sqlite'));
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
  await expect(write()).rejects.toMatchObject(unavailable);
  const whileFull = await keysIn(database);
  await setRoom(1_000_000);
  await write();

  expect(whileFull).toEqual(['kept']);
  expect(await keysIn(database)).toEqual(['kept', 'large', 'small']);
});

test('the directory is made if need be, and is for its user alone', async () => {
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
  [
    'has a file there that is no database',
    (dataDir: string) => {
      mkdirSync(dataDir);
      writeFileSync(join(dataDir, 'export-jobs.sqlite'), 'no database '.repeat(100));
    },
  ],
])('a DATA_DIR that %s ends the start with a sentence', async (_what, prepare) => {
  const dataDir = join(temporaryDir(), 'data');
  prepare(dataDir);

  await expect(openDatabase({ dataDir })).rejects.toMatchObject({
    name: 'ConfigError',
    message: expect.stringMatching(
      /^DATA_DIR is ".+", but must be a directory this process may write to \(.+\)\.$/,
    ),
  });
});
