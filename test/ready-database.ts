import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '#database/database.ts';
import { type DatabaseOptions, openDatabase } from '#database/open-database.ts';
import type { PostgresLimits } from '#database/postgres/dialect.ts';
import { usePostgres } from './postgres-databases.ts';

/** Limits that are long enough for a busy machine. */
export const patientLimits: PostgresLimits = {
  connectMs: 60_000,
  statementMs: 60_000,
  lockMs: 60_000,
  idleInTransactionMs: 60_000,
};

const fileName = 'export-jobs.sqlite';

/**
 * Opens a migrated database with long limits. A new SQLite file in an existing folder is a copy of one that
 * has its tables: the migrations take longer than most tests.
 */
export async function openReady(options: DatabaseOptions): Promise<Database> {
  const { databaseUrl, dataDir } = options;
  const template = process.env.TEST_SQLITE_TEMPLATE;
  const isNew = existsSync(dataDir) && !existsSync(join(dataDir, fileName));
  if (databaseUrl === undefined && template && isNew) {
    copyFileSync(join(template, fileName), join(dataDir, fileName));
  }
  const database = await openDatabase({ limits: patientLimits, ...options });
  await database.whenMigrated;
  if (databaseUrl === undefined) return database;
  const use = usePostgres(databaseUrl);
  return {
    ...database,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      use[Symbol.dispose]();
    },
  };
}
