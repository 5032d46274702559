import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** By whose calendar a job is cut. Those accepted before, or by an older replica, are cut by UTC. */
export const timeZones: Migration = {
  async up(db: Kysely<never>) {
    await db.schema
      .alterTable('jobs')
      .addColumn('timeZone', 'text', (column) => column.notNull().defaultTo('UTC'))
      .execute();
  },
};
