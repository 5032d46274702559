import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The queries of a verification: they end counts that always fail. Older replicas do not count them. */
export const countQueries: Migration = {
  async up(db: Kysely<never>) {
    await db.schema
      .alterTable('verifications')
      .addColumn('queries', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
