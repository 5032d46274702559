import { type Database, type DatabaseOptions, openDatabase } from '#database/database.ts';

/** Opens a database; it can be used at once. */
export async function openReady(options: DatabaseOptions): Promise<Database> {
  const database = await openDatabase(options);
  await database.whenMigrated;
  return database;
}
