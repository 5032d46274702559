import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

import type { Database, Queries } from './database.ts';
import { exportJobs } from './migrations/0001-export-jobs.ts';
import { callers } from './migrations/0002-callers.ts';
import { timeZones } from './migrations/0003-time-zones.ts';
import { misses } from './migrations/0004-misses.ts';

/** A step of the tables. Replicas of the version before go on while it is applied, and after. */
interface MigrationStep {
  up(queries: Parameters<Migration['up']>[0], kind: Database['kind']): Promise<void>;
}

/** In the order they are applied. What was released once is not changed any more. */
const migrations: Record<string, MigrationStep> = {
  '0001-export-jobs': exportJobs,
  '0002-callers': callers,
  '0003-time-zones': timeZones,
  '0004-misses': misses,
};

const lockId = 1_718_036_341; // any number nobody else locks in this database

/**
 * Applies what the tables lack, all or nothing, one process at a time. Forward only: tables may be
 * newer than this program, so that an older replica can be started beside newer ones.
 * @returns the names of what was applied
 */
export async function migrate({
  kind,
  queries,
  now,
}: Pick<Database, 'kind' | 'queries' | 'now'>): Promise<string[]> {
  // Asked first, so that a role that may not create tables can start on tables that are there. What
  // goes wrong here (there is no such table yet) goes wrong again below, or is mended there.
  const known = await findMissing(queries).catch(() => undefined);
  if (known?.length === 0) return [];
  return queries.transaction().execute(async (transaction) => {
    if (kind === 'postgres')
      await sql`select pg_advisory_xact_lock(${lockId})`.execute(transaction);
    await transaction.schema
      .createTable('migrations')
      .ifNotExists()
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('appliedAt', 'bigint', (column) => column.notNull())
      .execute();
    const missing = await findMissing(transaction);
    for (const name of missing) {
      await migrations[name]?.up(transaction, kind);
      await transaction.insertInto('migrations').values({ name, appliedAt: now() }).execute();
    }
    return missing;
  });
}

async function findMissing(queries: Queries): Promise<string[]> {
  const applied = await queries.selectFrom('migrations').select('name').execute();
  return Object.keys(migrations).filter((name) => !applied.some((each) => each.name === name));
}
