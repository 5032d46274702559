import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Since when a stopped archive exports on trial. Older replicas have no trials. */
export const archiveTrials: Migration = {
  async up(db: Kysely<never>) {
    await db.schema.alterTable('archives').addColumn('trialAt', 'bigint').execute();
  },
};
