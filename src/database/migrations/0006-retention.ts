import { type Kysely, sql } from 'kysely';

import type { Database } from '../database.ts';

/**
 * What the deletion of old rows needs. No row is written here, so that large tables are locked only while
 * their indexes are built. The end of earlier jobs is stored later, in small steps.
 */
export const retention = {
  async up(db: Kysely<never>, kind: Database['kind']): Promise<void> {
    // The largest table first: the others stay unlocked meanwhile.
    await db.schema.createIndex('audit_entries_by_age').on('auditEntries').column('at').execute();
    await db.schema
      .createIndex('idempotency_keys_of_jobs')
      .on('idempotencyKeys')
      .column('jobId')
      .execute();
    await db.schema
      .createTable('deletedJobs')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('caller', 'text', (column) => column.notNull())
      .addColumn('deletedAt', 'bigint', (column) => column.notNull())
      .addColumn('rest', 'text', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('deleted_jobs_by_rest')
      .on('deletedJobs')
      .columns(['rest', 'deletedAt', 'id'])
      .execute();
    await db.schema
      .createTable('purge')
      .addColumn('owner', 'text')
      .addColumn('leasedUntil', 'bigint', (column) => column.notNull().defaultTo(0))
      .addColumn('auditDeletableUpTo', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute();
    await sql`insert into purge default values`.execute(db);
    for (const statement of auditDeletableByPurge[kind]) await statement.execute(db);

    await db.schema.alterTable('jobs').addColumn('endedAt', 'bigint').execute();
    await db.schema
      .createIndex('jobs_by_end')
      .on('jobs')
      .columns(['endedAt', 'id'])
      .where(sql<boolean>`ended_at is not null`)
      .execute();
    await db.schema
      .createIndex('jobs_without_end')
      .on('jobs')
      .columns(['acceptedAt', 'id'])
      .where(sql<boolean>`ended_at is null`)
      .execute();
    for (const statement of jobsDeletableFirst[kind]) await statement.execute(db);
  },
};

const text = 'audit entries are only ever added';
// Without the row of `purge` the comparison is null, and nothing may be deleted.
const mustStay = sql`(old.at > (select audit_deletable_up_to from purge)) is not false`;

/** Lets the purge delete old entries: those up to the instant that it writes in the same transaction. */
const auditDeletableByPurge = {
  sqlite: [
    sql`drop trigger audit_entries_no_delete`,
    sql`
      create trigger audit_entries_no_delete before delete on audit_entries
      when ${mustStay} begin select raise(abort, ${sql.lit(text)}); end`,
  ],
  postgres: [
    sql`drop trigger audit_entries_stay on audit_entries`,
    sql`
      create trigger audit_entries_stay before update or truncate on audit_entries
      for each statement execute function refuse_audit_change()`,
    sql`
      create function refuse_early_audit_delete() returns trigger language plpgsql as $$
      begin
        if ${mustStay} then raise exception ${sql.lit(text)}; end if;
        return old;
      end $$`,
    sql`
      create trigger audit_entries_stay_until before delete on audit_entries
      for each row execute function refuse_early_audit_delete()`,
  ],
};

/**
 * A job is deleted before its slices and events, so they no longer refer to it. SQLite changes a
 * constraint without copying the table only in this way (https://sqlite.org/lang_altertable.html#otheralter).
 */
const jobsDeletableFirst = {
  sqlite: [
    sql`pragma writable_schema = on`,
    sql`
      update sqlite_schema set sql = replace(sql, ' references "jobs" ("id")', '')
      where type = 'table' and name in ('slices', 'events')`,
    sql`pragma writable_schema = reset`,
  ],
  postgres: [
    sql`alter table slices drop constraint slices_job_id_fkey`,
    sql`alter table events drop constraint events_job_id_fkey`,
  ],
};
