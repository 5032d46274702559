import { CamelCasePlugin, type Dialect, Kysely, sql } from 'kysely';
import { expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { exportJobs } from '#database/migrations/0001-export-jobs.ts';
import { callers } from '#database/migrations/0002-callers.ts';
import { timeZones } from '#database/migrations/0003-time-zones.ts';
import { misses } from '#database/migrations/0004-misses.ts';
import { work } from '#database/migrations/0005-work.ts';
import { type DatabaseOptions, migrateDatabase } from '#database/open-database.ts';
import { makePostgresDialect } from '#database/postgres/dialect.ts';
import { makeSqliteDialect } from '#database/sqlite/dialect.ts';
import { openReady, patientLimits } from '../ready-database.ts';
import { emptyStorage } from './homes.ts';

const earlier = { exportJobs, callers, timeZones, misses, work };

function dialectOf({ dataDir, databaseUrl }: DatabaseOptions): Dialect {
  if (databaseUrl === undefined) return makeSqliteDialect(dataDir);
  const connection = { url: databaseUrl, passwordFile: undefined, connections: 1, log: undefined };
  return makePostgresDialect({ ...connection, limits: patientLimits });
}

/** Makes the tables of the version before this migration, with a job in them. */
async function makeEarlierTables(kind: Database['kind'], options: DatabaseOptions): Promise<void> {
  const plugins = [new CamelCasePlugin()];
  const queries = new Kysely<never>({ dialect: dialectOf(options), plugins });
  for (const { up } of Object.values(earlier)) await up(queries, kind);
  const names = ['0001-export-jobs', '0002-callers', '0003-time-zones', '0004-misses', '0005-work'];
  await sql`create table migrations (name text primary key, applied_at bigint not null)`.execute(
    queries,
  );
  for (const name of names) await sql`insert into migrations values (${name}, 1)`.execute(queries);
  await sql`
    insert into jobs (id, target, caller, priority, slice_by, from_at, to_at, destination,
      destination_prefix, is_unsettled_allowed, accepted_at)
    values ('job', 'default', 'anonymous', 0, 'none', 0, 1, 'archive', 'x', 0, 1)`.execute(queries);
  await sql`
    insert into slices (job_id, number, target, caller, priority, log_group_name, from_at, to_at,
      ready_at, state)
    values ('job', 0, 'default', 'anonymous', 0, '/app', 0, 1, 0, 'completed')`.execute(queries);
  await sql`insert into events values ('job', 0, 1, 'job-accepted', '{}')`.execute(queries);
  await sql`
    insert into audit_entries (at, principal, action, request_id, policies, target, outcome)
    values (1, 'anonymous', 'CreateExportJob', 'r', '[]', 'default', 'ok')`.execute(queries);
  await queries.destroy();
}

test.each(['sqlite', 'postgres'] as const)(
  'the tables of the version before retention keep their rows, and a job can be deleted first, in %s',
  async (kind) => {
    const options = await emptyStorage(kind);
    await makeEarlierTables(kind, options);

    const applied = await migrateDatabase(options);

    expect(applied).toContain('0006-retention');
    await using database = await openReady(options);
    const { queries } = database;
    expect(await queries.selectFrom('jobs').select(['id', 'endedAt']).execute()).toEqual([
      { id: 'job', endedAt: null },
    ]);
    await expect(sql`delete from audit_entries`.execute(queries)).rejects.toThrow(
      'only ever added',
    );
    await expect(sql`update audit_entries set at = 2`.execute(queries)).rejects.toThrow(
      'only ever added',
    );
    const attempt = { jobId: 'none', slice: 0, attempt: 1, target: 'default', marker: 'm' };
    const orphaned = queries
      .insertInto('attempts')
      .values({ ...attempt, destinationPrefix: 'x', fence: 1, submittedAt: 1 })
      .execute();
    await expect(orphaned).rejects.toThrow(/foreign key constraint/i);
    await queries.deleteFrom('jobs').execute();
    expect(await queries.selectFrom('slices').select('jobId').execute()).toHaveLength(1);
    if (kind === 'sqlite') {
      const { rows } = await sql`pragma integrity_check`.execute(queries);
      expect(rows).toEqual([{ integrityCheck: 'ok' }]);
    }
  },
);
