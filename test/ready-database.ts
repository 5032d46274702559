import type { Database } from '#database/database.ts';
import { type DatabaseOptions, openDatabase } from '#database/open-database.ts';
import type { PostgresLimits } from '#database/postgres/dialect.ts';

/** Limits that are long enough for a busy machine. */
export const patientLimits: PostgresLimits = {
  connectMs: 60_000,
  statementMs: 60_000,
  lockMs: 60_000,
  idleInTransactionMs: 60_000,
};

/** Opens a migrated database with long limits. */
export async function openReady(options: DatabaseOptions): Promise<Database> {
  const database = await openDatabase({ limits: patientLimits, ...options });
  await database.whenMigrated;
  return database;
}
