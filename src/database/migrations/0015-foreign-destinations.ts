import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Where foreign tasks run and export to: policies decide by it who may see them. Older replicas do not record it. */
export const foreignDestinations: Migration = {
  async up(db: Kysely<never>) {
    for (const column of ['accountId', 'region', 'destination', 'destinationPrefix'])
      await db.schema.alterTable('foreignTasks').addColumn(column, 'text').execute();
  },
};
