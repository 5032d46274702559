import { randomBytes } from 'node:crypto';
import { type Kysely, sql } from 'kysely';

/** Attempts that led to no export: counted per slice to end them, and per caller to serve others first. */
export const misses = {
  async up(db: Kysely<never>): Promise<void> {
    await db.schema
      .alterTable('slices')
      .addColumn('misses', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
    for (const column of ['watchedUntil', 'asideUntil']) {
      await db.schema
        .alterTable('lines')
        .addColumn(column, 'bigint', (until) => until.notNull().defaultTo(0))
        .execute();
    }
    // The key that signs the markers.
    await db.schema.alterTable('installation').addColumn('secret', 'text').execute();
    await sql`update installation set secret = ${randomBytes(32).toString('hex')}`.execute(db);
  },
};
