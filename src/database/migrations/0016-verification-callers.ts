import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The callers of open verifications, who take turns. Rows of older replicas have none until they are claimed. */
export const verificationCallers: Migration = {
  async up(db: Kysely<never>) {
    await db.schema
      .alterTable('verifications')
      .addColumn('caller', 'text', (column) => column.notNull().defaultTo(''))
      .execute();
    await db.schema
      .createIndex('verifications_due_by_caller')
      .on('verifications')
      .columns(['caller', 'dueAt'])
      .where(sql<boolean>`ended_at is null`)
      .execute();
  },
};
