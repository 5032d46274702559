import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The latest start of a caller that ignored the priority. Older replicas do not count it. */
export const tenthStarts: Migration = {
  async up(db: Kysely<never>) {
    await db.schema
      .alterTable('lines')
      .addColumn('lastTenth', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
