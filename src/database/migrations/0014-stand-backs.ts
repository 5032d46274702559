import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The replicas that stood back from a slot. Older replicas know only the last one, by columns of `slots`. */
export const standBacks: Migration = {
  async up(db: Kysely<never>) {
    await db.schema
      .createTable('standBacks')
      .addColumn('target', 'text', (column) => column.notNull())
      .addColumn('owner', 'text', (column) => column.notNull())
      .addColumn('forMs', 'bigint', (column) => column.notNull())
      .addColumn('endsAt', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('stand_backs_pk', ['target', 'owner'])
      .execute();
  },
};
