import { sql } from 'kysely';
import { expect, test } from 'vitest';

import type { Database, Queries } from '#database/database.ts';
import { pickNext } from '#export-jobs/queue/pick-next.ts';
import { readArrivals, readCallerQueues } from '#export-jobs/queue/read-queue.ts';
import { planOf, recordStatements } from '../../database/query-plans.ts';
import { postgresUrl } from '../../postgres-databases.ts';
import { insertJob } from '../insert-rows.ts';
import { openStore } from '../storage-backends.ts';

// A caller can be a pipeline that has another name at each run. Its queue stays for as long as its jobs.

const target = 'default';
const now = Date.UTC(2024, 4, 1);
const waiting = ['ana', 'ben', 'cem', 'dee', 'eve'];

/** Fills the queues of thousands of callers whose slices have ended, and of five callers with waiting ones. */
async function fill(database: Database): Promise<void> {
  const numbers = sql`with recursive numbers(i) as (
    select 1 union all select i + 1 from numbers where i < 10000
  )`;
  await sql`
    insert into lines (target, priority, caller)
    ${numbers} select ${sql.lit(target)}, i % 21 - 10, 'pipeline-' || i from numbers
  `.execute(database.queries);
  for (const caller of waiting)
    await insertJob(database, { target, caller, slices: [{}, { readyAt: now + 60_000 }] });
  await sql`analyze`.execute(database.queries);
}

/** All looks at the queue. Returns what they find. */
async function look(database: Database, queries: Queries) {
  const next = await pickNext(queries, database, target);
  const queues = await readCallerQueues({ ...database, queries }, target, now);
  const arrivals = await readArrivals(queries, target, now);
  return {
    next: next?.caller,
    queues: queues
      .filter(({ waiting }) => waiting > 0)
      .map(({ caller, ready }) => ({ caller, ready })),
    arrivals: arrivals.map(({ caller }) => caller).sort(),
  };
}

const found = {
  next: 'ana',
  queues: waiting.map((caller) => ({ caller, ready: 1 })),
  arrivals: waiting,
};

test('a look at the queue reads only the queues with waiting slices, on SQLite', async () => {
  await using database = await openStore(
    async () => ({}),
    () => now,
  );
  await fill(database);
  const { database: recorded, statements } = recordStatements(database);

  expect(await look(recorded, recorded.queries)).toEqual(found);

  const plans = await Promise.all(statements.map((statement) => planOf(database, statement)));
  const reads = plans.flat().filter((line) => /^(?:SCAN|SEARCH) lines\b/.test(line));
  expect(reads.length).toBeGreaterThanOrEqual(3);
  for (const read of reads) expect(read).toContain('(target=? AND priority=? AND caller=?)');
});

test('a look at the queue reads only the queues with waiting slices, on PostgreSQL', async () => {
  await using database = await openStore(
    async () => ({ databaseUrl: await postgresUrl() }),
    () => now,
  );
  await fill(database);

  await database.transaction(async (queries) => {
    const before = await readsOf(queries);
    expect(await look(database, queries)).toEqual(found);

    expect((await readsOf(queries)) - before).toBeLessThan(500);
  });
});

/** The rows and index entries that this connection has read: PostgreSQL counts those of the last transactions, too. */
async function readsOf(queries: Queries): Promise<number> {
  const { rows } = await sql<{ reads: number }>`
    select cast(sum(seq_tup_read + idx_tup_fetch + idx_scan) as integer) as reads
    from pg_stat_xact_user_tables where relname in ('lines', 'slices')
  `.execute(queries);
  return rows[0]?.reads ?? Number.NaN;
}
