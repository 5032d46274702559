import { sql } from 'kysely';
import { expect, test } from 'vitest';

import { databaseQueries } from '#diagnostics/database-queries.ts';
import { openMetrics } from '#telemetry/metrics/open-metrics.ts';
import { emptyStorage } from '../../database/homes.ts';
import { openReady } from '../../ready-database.ts';
import { makeRecording, skipWithoutPromtool } from './recording.ts';

test('the disk of SQLite is full: the alert fires although reads succeed', async ({ skip }) => {
  await using database = await openReady(await emptyStorage('sqlite'));
  const { queries } = database;
  let now = 0;
  using metrics = openMetrics({
    targets: () => [],
    elapsed: () => now,
    jobs: { read: async () => [], sleep: async () => {}, isDatabaseReady: () => true },
  });
  const { rows } = await sql<{ pageCount: number }>`pragma page_count`.execute(queries);
  await sql`${sql.raw(`pragma max_page_count = ${rows[0]?.pageCount}`)}`.execute(queries);
  const event = { jobId: 'none', version: 1, at: 0, type: '', data: 'x'.repeat(100_000) };
  const recording = makeRecording();

  for (let minute = 0; minute < 6; minute += 1) {
    now = minute * 60_000;
    await expect(queries.insertInto('events').values(event).execute()).rejects.toMatchObject({
      slug: 'database-unavailable',
    });
    now += 30_000;
    await queries.selectFrom('events').selectAll().execute();
    recording.add(await metrics.render());
  }

  skipWithoutPromtool(skip);
  recording.expectFiring('LogExportDatabaseAway');
});

test.each([
  ['a serialization failure', '40001', false],
  ['a deadlock', '40P01', false],
  ['a lock timeout', '55P03', false],
  ['a statement timeout', '57014', false],
  ['a full disk', '53100', true],
  ['an I/O error', '58030', true],
  ['a read-only server', '25006', true],
])(
  'a statement of PostgreSQL fails with %s (%s): the database is away: %s',
  async (_what, code, isAway) => {
    await using database = await openReady(await emptyStorage('postgres'));
    const published: boolean[] = [];
    const unsubscribe = databaseQueries.subscribe(({ isUnavailable }) =>
      published.push(isUnavailable),
    );
    const statement = sql.raw(`do $$ begin raise exception using errcode = '${code}'; end $$`);

    await expect(sql`${statement}`.execute(database.queries)).rejects.toMatchObject({
      slug: 'database-unavailable',
    });
    unsubscribe();

    // What an earlier test of this process has left can make statements, too.
    expect(published).toContain(isAway);
    if (!isAway) expect(published).not.toContain(true);
  },
);
