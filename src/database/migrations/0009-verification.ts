import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The verification of completed export tasks. Jobs of an older replica get the default. */
export const verification: Migration = {
  async up(db: Kysely<never>) {
    await db.schema
      .alterTable('jobs')
      .addColumn('verification', 'text', (column) => column.notNull().defaultTo('objects'))
      .execute();
    await db.schema.alterTable('auditEntries').addColumn('manifestSha256', 'text').execute();
    await db.schema
      .createTable('verifications')
      .addColumn('jobId', 'text', (column) => column.notNull())
      .addColumn('slice', 'integer', (column) => column.notNull())
      .addColumn('attempt', 'integer', (column) => column.notNull())
      .addColumn('target', 'text', (column) => column.notNull())
      .addColumn('accountId', 'text', (column) => column.notNull())
      .addColumn('region', 'text', (column) => column.notNull())
      .addColumn('taskId', 'text', (column) => column.notNull())
      .addColumn('beganAt', 'bigint', (column) => column.notNull())
      .addColumn('dueAt', 'bigint', (column) => column.notNull())
      .addColumn('looks', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('owner', 'text')
      .addColumn('leasedUntil', 'bigint', (column) => column.notNull().defaultTo(0))
      .addColumn('endedAt', 'bigint')
      .addColumn('method', 'text')
      .addColumn('objects', 'bigint')
      .addColumn('bytes', 'bigint')
      .addColumn('streams', 'bigint')
      .addColumn('lines', 'bigint')
      .addColumn('records', 'bigint')
      .addColumn('events', 'bigint')
      .addColumn('isEmpty', 'integer')
      .addColumn('evidence', 'text')
      .addColumn('manifestKey', 'text')
      .addColumn('manifestSha256', 'text')
      .addPrimaryKeyConstraint('verifications_pk', ['jobId', 'slice', 'attempt'])
      .execute();
    // Open verifications are few, however many have ended.
    await db.schema
      .createIndex('verifications_due')
      .on('verifications')
      .column('dueAt')
      .where(sql<boolean>`ended_at is null`)
      .execute();
  },
};
