import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';

import type { Database, Queries } from './database.ts';
import { exportJobs } from './migrations/0001-export-jobs.ts';
import { callers } from './migrations/0002-callers.ts';
import { timeZones } from './migrations/0003-time-zones.ts';
import { misses } from './migrations/0004-misses.ts';
import { work } from './migrations/0005-work.ts';
import { retention } from './migrations/0006-retention.ts';
import { traceContext } from './migrations/0007-trace-context.ts';
import { foreignTasks } from './migrations/0008-foreign-tasks.ts';
import { verification } from './migrations/0009-verification.ts';
import { archives } from './migrations/0010-archives.ts';
import { wireAndNotifications } from './migrations/0011-wire-and-notifications.ts';
import { archiveTrials } from './migrations/0012-archive-trials.ts';
import { tenthStarts } from './migrations/0013-tenth-starts.ts';
import { standBacks } from './migrations/0014-stand-backs.ts';
import { foreignDestinations } from './migrations/0015-foreign-destinations.ts';
import { verificationCallers } from './migrations/0016-verification-callers.ts';
import { countQueries } from './migrations/0017-count-queries.ts';
import { formerRetentions } from './migrations/0018-former-retentions.ts';

/** A change of the tables. Replicas of the previous version keep working during and after it. */
interface MigrationStep {
  up(queries: Parameters<Migration['up']>[0], kind: Database['kind']): Promise<void>;
}

/** In the order of application. A released migration is never changed. */
const migrations: Record<string, MigrationStep> = {
  '0001-export-jobs': exportJobs,
  '0002-callers': callers,
  '0003-time-zones': timeZones,
  '0004-misses': misses,
  '0005-work': work,
  '0006-retention': retention,
  '0007-trace-context': traceContext,
  '0008-foreign-tasks': foreignTasks,
  '0009-verification': verification,
  '0010-archives': archives,
  '0011-wire-and-notifications': wireAndNotifications,
  '0012-archive-trials': archiveTrials,
  '0013-tenth-starts': tenthStarts,
  '0014-stand-backs': standBacks,
  '0015-foreign-destinations': foreignDestinations,
  '0016-verification-callers': verificationCallers,
  '0017-count-queries': countQueries,
  '0018-former-retentions': formerRetentions,
};

const lockId = 1_718_036_341; // arbitrary, but unique in the database

/**
 * Applies the missing migrations, all or none, one process at a time. Forward only: tables may be newer
 * than this program, so that an older replica can start beside newer ones.
 * @returns the names of the applied migrations
 */
export async function migrate({
  kind,
  queries,
  now,
}: Pick<Database, 'kind' | 'queries' | 'now'>): Promise<string[]> {
  // Checked first, so that a role without the right to create tables can use existing ones. An error
  // here, such as a missing table, is fixed or repeated below.
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
