import { type Kysely, sql } from 'kysely';

import type { Database } from '../database.ts';

/** The caller of a job, the number of its waiting slices, and the audit. */
export const callers = {
  async up(db: Kysely<never>, kind: Database['kind']): Promise<void> {
    await db.schema.alterTable('jobs').addColumn('principal', 'text').execute();
    // For lists over all callers.
    await db.schema.createIndex('jobs_by_age').on('jobs').columns(['acceptedAt', 'id']).execute();
    await db.schema.createIndex('lines_of_caller').on('lines').column('caller').execute();
    await db.schema
      .createTable('callers')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .execute();

    await db.schema
      .createTable('auditEntries')
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('jobId', 'text')
      .addColumn('version', 'bigint')
      .addColumn('change', 'text')
      .addColumn('principal', 'text', (column) => column.notNull())
      .addColumn('action', 'text', (column) => column.notNull())
      .addColumn('requestId', 'text', (column) => column.notNull())
      .addColumn('policies', 'text', (column) => column.notNull())
      .addColumn('target', 'text', (column) => column.notNull())
      .addColumn('slice', 'integer')
      .addColumn('logGroupName', 'text')
      .addColumn('destination', 'text')
      .addColumn('destinationPrefix', 'text')
      .addColumn('taskId', 'text')
      .addColumn('awsRequestId', 'text')
      .addColumn('outcome', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('audit_entries_of_jobs')
      .on('auditEntries')
      .columns(['jobId', 'version'])
      .execute();
    for (const statement of appendOnly[kind]) await statement.execute(db);
  },
};

const text = 'audit entries are only ever added';

/** Makes the audit append-only for every client of the database. */
const appendOnly = {
  sqlite: ['update', 'delete'].map(
    (change) => sql`
      create trigger ${sql.ref(`audit_entries_no_${change}`)}
      before ${sql.raw(change)} on audit_entries
      begin select raise(abort, ${sql.lit(text)}); end`,
  ),
  postgres: [
    sql`
      create function refuse_audit_change() returns trigger language plpgsql as
      $$ begin raise exception ${sql.lit(text)}; end $$`,
    sql`
      create trigger audit_entries_stay
      before update or delete or truncate on audit_entries
      for each statement execute function refuse_audit_change()`,
  ],
};
