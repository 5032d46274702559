import type { Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The retention of a log group before its last change. Older replicas do not record it. */
export const formerRetentions: Migration = {
  async up(db: Kysely<never>) {
    const table = () => db.schema.alterTable('archiveLogGroups');
    await table().addColumn('formerRetentionDays', 'integer').execute();
    await table().addColumn('formerSeenAt', 'bigint').execute();
    await table().addColumn('retentionFoundAt', 'bigint').execute();
    await table().addColumn('doubtfulUntilAt', 'bigint').execute();
  },
};
