import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The span of the request that created a job. The spans of its attempts are linked to it. */
export const traceContext: Migration = {
  async up(db: Kysely<never>) {
    await db.schema.alterTable('jobs').addColumn('traceParent', 'varchar(55)').execute();
  },
};
