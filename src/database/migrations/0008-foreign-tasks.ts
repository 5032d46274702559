import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The foreign tasks that were seen in slots lately, for the timeline of a target. */
export const foreignTasks: Migration = {
  async up(db: Kysely<never>) {
    await db.schema
      .createTable('foreignTasks')
      .addColumn('target', 'text', (column) => column.notNull())
      .addColumn('taskId', 'text', (column) => column.notNull())
      .addColumn('logGroupName', 'text')
      .addColumn('beganAt', 'bigint', (column) => column.notNull())
      .addColumn('seenUntil', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('foreign_tasks_pk', ['target', 'taskId'])
      .execute();
    await db.schema
      .createIndex('foreign_tasks_by_age')
      .on('foreignTasks')
      .column('seenUntil')
      .execute();
  },
};
