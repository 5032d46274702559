import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Archives, and the coverage of all jobs. Jobs and slices of an older replica get the defaults. */
export const archives: Migration = {
  async up(db: Kysely<never>) {
    await extendJobs(db);
    await createCoverage(db);
    await createArchives(db);
    await createLedger(db);
    await createRequests(db);
  },
};

async function extendJobs(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('jobs').addColumn('archiveId', 'text').execute();
  await db.schema.alterTable('jobs').addColumn('incarnation', 'integer').execute();
  await db.schema
    .alterTable('jobs')
    .addColumn('revision', 'integer', (column) => column.notNull().defaultTo(1))
    .execute();
  await db.schema.alterTable('slices').addColumn('parent', 'integer').execute();
  await db.schema.alterTable('auditEntries').addColumn('archiveId', 'text').execute();
  await db.schema.alterTable('auditEntries').addColumn('reason', 'text').execute();
  await db.schema
    .createIndex('jobs_of_archives')
    .on('jobs')
    .columns(['archiveId', 'acceptedAt', 'id'])
    .where(sql<boolean>`archive_id is not null`)
    .execute();
  await db.schema
    .createIndex('jobs_of_archives_by_time')
    .on('jobs')
    .columns(['archiveId', 'fromAt'])
    .where(sql<boolean>`archive_id is not null`)
    .execute();
  // An archive can have a thousand times as many jobs as a caller.
  await db.schema
    .createIndex('jobs_of_caller_without_archive')
    .on('jobs')
    .columns(['caller', 'acceptedAt', 'id'])
    .where(sql<boolean>`archive_id is null`)
    .execute();
  await db.schema
    .createIndex('jobs_without_archive')
    .on('jobs')
    .columns(['acceptedAt', 'id'])
    .where(sql<boolean>`archive_id is null`)
    .execute();
}

async function createCoverage(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('coverage')
    .addColumn('jobId', 'text', (column) => column.notNull())
    .addColumn('slice', 'integer', (column) => column.notNull())
    .addColumn('attempt', 'integer', (column) => column.notNull())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('accountId', 'text', (column) => column.notNull())
    .addColumn('region', 'text', (column) => column.notNull())
    .addColumn('logGroupName', 'text', (column) => column.notNull())
    .addColumn('fromAt', 'bigint', (column) => column.notNull())
    .addColumn('toAt', 'bigint', (column) => column.notNull())
    .addColumn('destination', 'text', (column) => column.notNull())
    .addColumn('destinationPrefix', 'text', (column) => column.notNull())
    .addColumn('taskId', 'text', (column) => column.notNull())
    .addColumn('method', 'text', (column) => column.notNull())
    .addColumn('isEmpty', 'integer', (column) => column.notNull())
    .addColumn('objects', 'bigint')
    .addColumn('bytes', 'bigint')
    .addColumn('events', 'bigint')
    .addColumn('manifestKey', 'text')
    .addColumn('manifestSha256', 'text')
    .addColumn('exportedAt', 'bigint', (column) => column.notNull())
    .addColumn('coveredAt', 'bigint', (column) => column.notNull())
    .addColumn('archiveId', 'text')
    .addColumn('incarnation', 'integer')
    .addColumn('revision', 'integer', (column) => column.notNull().defaultTo(1))
    .addColumn('isVoid', 'integer', (column) => column.notNull().defaultTo(0))
    .addPrimaryKeyConstraint('coverage_pk', ['jobId', 'slice'])
    .execute();
  await db.schema
    .createIndex('coverage_of_log_groups')
    .on('coverage')
    .columns(['accountId', 'region', 'logGroupName', 'fromAt'])
    .execute();
  // Of the exports that begin long before a time range, only long ones reach into it. They are few.
  await db.schema
    .createIndex('coverage_of_long_windows')
    .on('coverage')
    .columns(['accountId', 'region', 'logGroupName', 'fromAt'])
    .where(sql<boolean>`to_at - from_at > 2678400000`)
    .execute();
  await db.schema
    .createIndex('coverage_of_archives')
    .on('coverage')
    .columns(['archiveId', 'logGroupName', 'fromAt'])
    .where(sql<boolean>`archive_id is not null`)
    .execute();
}

async function createArchives(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('archives')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('accountId', 'text')
    .addColumn('region', 'text')
    .addColumn('caller', 'text', (column) => column.notNull())
    .addColumn('principal', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('definition', 'text', (column) => column.notNull())
    .addColumn('idempotencyKey', 'text')
    .addColumn('digest', 'text')
    .addColumn('createdAt', 'bigint', (column) => column.notNull())
    .addColumn('pausedAt', 'bigint')
    .addColumn('pausedBy', 'text')
    .addColumn('pauseReason', 'text')
    .addColumn('endedAt', 'bigint')
    .addColumn('version', 'bigint', (column) => column.notNull().defaultTo(1))
    .addColumn('lookDueAt', 'bigint', (column) => column.notNull())
    .addColumn('lookedAt', 'bigint')
    .addColumn('owner', 'text')
    .addColumn('leasedUntil', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('looks', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('listedAt', 'bigint')
    .addColumn('logGroupCount', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('stopProblem', 'text')
    .addColumn('stopCheckAt', 'bigint')
    .addColumn('heartbeatAt', 'bigint')
    .addColumn('summary', 'text')
    .execute();
  await db.schema
    .createIndex('archives_of_caller')
    .on('archives')
    .columns(['caller', 'createdAt', 'id'])
    .execute();
  await db.schema
    .createIndex('archives_by_age')
    .on('archives')
    .columns(['createdAt', 'id'])
    .execute();
  await db.schema
    .createIndex('archives_by_key')
    .unique()
    .on('archives')
    .columns(['caller', 'idempotencyKey'])
    .where(sql<boolean>`idempotency_key is not null`)
    .execute();
  await db.schema.createIndex('archives_due').on('archives').column('lookDueAt').execute();
}

async function createLedger(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('archiveLogGroups')
    .addColumn('archiveId', 'text', (column) => column.notNull())
    .addColumn('logGroupName', 'text', (column) => column.notNull())
    .addColumn('incarnation', 'integer', (column) => column.notNull())
    .addColumn('createdAt', 'bigint', (column) => column.notNull())
    .addColumn('seenAt', 'bigint', (column) => column.notNull())
    .addColumn('goneAt', 'bigint')
    .addColumn('retentionDays', 'integer')
    .addColumn('doneUntilAt', 'bigint')
    .addColumn('covered', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('empty', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('lost', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('waived', 'bigint', (column) => column.notNull().defaultTo(0))
    .addPrimaryKeyConstraint('archive_log_groups_pk', ['archiveId', 'logGroupName', 'incarnation'])
    .execute();
  const partition = ['archiveId', 'logGroupName', 'incarnation', 'fromAt'] as const;
  await db.schema
    .createTable('archiveRanges')
    .addColumn('archiveId', 'text', (column) => column.notNull())
    .addColumn('logGroupName', 'text', (column) => column.notNull())
    .addColumn('incarnation', 'integer', (column) => column.notNull())
    .addColumn('fromAt', 'bigint', (column) => column.notNull())
    .addColumn('toAt', 'bigint', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('isEmpty', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('again', 'text')
    .addColumn('cause', 'text')
    .addPrimaryKeyConstraint('archive_ranges_pk', [...partition])
    .execute();
  await db.schema
    .createIndex('archive_ranges_by_state')
    .on('archiveRanges')
    .columns(['archiveId', 'state', 'logGroupName', 'incarnation', 'fromAt'])
    .execute();
  await db.schema
    .createIndex('archive_ranges_again')
    .on('archiveRanges')
    .columns(['archiveId', 'fromAt'])
    .where(sql<boolean>`again is not null`)
    .execute();
  await db.schema
    .createTable('archivePartitions')
    .addColumn('archiveId', 'text', (column) => column.notNull())
    .addColumn('logGroupName', 'text', (column) => column.notNull())
    .addColumn('incarnation', 'integer', (column) => column.notNull())
    .addColumn('fromAt', 'bigint', (column) => column.notNull())
    .addColumn('toAt', 'bigint', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('jobId', 'text')
    .addColumn('revision', 'integer', (column) => column.notNull())
    .addColumn('failures', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('retryAt', 'bigint')
    .addColumn('problem', 'text')
    .addPrimaryKeyConstraint('archive_partitions_pk', [...partition])
    .execute();
}

async function createRequests(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('archiveBackfills')
    .addColumn('archiveId', 'text', (column) => column.notNull())
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('logGroupNames', 'text')
    .addColumn('fromAt', 'bigint', (column) => column.notNull())
    .addColumn('toAt', 'bigint', (column) => column.notNull())
    .addColumn('reprocess', 'text', (column) => column.notNull())
    .addColumn('serveOrder', 'text', (column) => column.notNull())
    .addColumn('requestedAt', 'bigint', (column) => column.notNull())
    .addColumn('caller', 'text', (column) => column.notNull())
    .addColumn('requestId', 'text', (column) => column.notNull())
    .addColumn('endedAt', 'bigint')
    .addPrimaryKeyConstraint('archive_backfills_pk', ['archiveId', 'number'])
    .execute();
  await db.schema
    .createTable('archiveWaivers')
    .addColumn('archiveId', 'text', (column) => column.notNull())
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('logGroupName', 'text', (column) => column.notNull())
    .addColumn('fromAt', 'bigint', (column) => column.notNull())
    .addColumn('toAt', 'bigint', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('caller', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('archive_waivers_pk', ['archiveId', 'number'])
    .execute();
}
