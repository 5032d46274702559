import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The time zone for slicing a job. Earlier jobs, and jobs of an older replica, have UTC. */
export const timeZones: Migration = {
  async up(db: Kysely<never>) {
    await db.schema
      .alterTable('jobs')
      .addColumn('timeZone', 'text', (column) => column.notNull().defaultTo('UTC'))
      .execute();
  },
};
