import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Export tasks over the protocol of AWS, and notifications. Jobs of an older replica are no such tasks. */
export const wireAndNotifications: Migration = {
  async up(db: Kysely<never>) {
    await extendJobs(db);
    await createEndpoints(db);
    await createOutbox(db);
  },
};

async function extendJobs(db: Kysely<never>): Promise<void> {
  await db.schema.alterTable('jobs').addColumn('taskParameters', 'text').execute();
  await db.schema.alterTable('attempts').addColumn('awsError', 'text').execute();
  await db.schema
    .createIndex('wire_tasks_of_target')
    .on('jobs')
    .columns(['target', 'acceptedAt', 'id'])
    .where(sql<boolean>`task_parameters is not null`)
    .execute();
  await db.schema
    .createIndex('wire_tasks_of_caller')
    .on('jobs')
    .columns(['caller', 'target', 'acceptedAt', 'id'])
    .where(sql<boolean>`task_parameters is not null`)
    .execute();
  await db.schema
    .createIndex('attempts_by_task')
    .on('attempts')
    .columns(['taskId'])
    .where(sql<boolean>`task_id is not null`)
    .execute();
}

async function createEndpoints(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('webhookEndpoints')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('caller', 'text', (column) => column.notNull())
    .addColumn('principal', 'text', (column) => column.notNull())
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('description', 'text')
    .addColumn('eventTypes', 'text')
    .addColumn('secret', 'text', (column) => column.notNull())
    .addColumn('previousSecret', 'text')
    .addColumn('previousSecretUntil', 'bigint')
    .addColumn('createdAt', 'bigint', (column) => column.notNull())
    .addColumn('version', 'bigint', (column) => column.notNull().defaultTo(1))
    .addColumn('disabledAt', 'bigint')
    .addColumn('disabledReason', 'text')
    .addColumn('failingSince', 'bigint')
    .addColumn('idempotencyKey', 'text')
    .addColumn('digest', 'text')
    .execute();
  await db.schema
    .createIndex('webhook_endpoints_of_caller')
    .on('webhookEndpoints')
    .columns(['caller', 'createdAt', 'id'])
    .execute();
  await db.schema
    .createIndex('webhook_endpoints_by_key')
    .unique()
    .on('webhookEndpoints')
    .columns(['caller', 'idempotencyKey'])
    .where(sql<boolean>`idempotency_key is not null`)
    .execute();
}

async function createOutbox(db: Kysely<never>): Promise<void> {
  await db.schema
    .createTable('notificationEvents')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('caller', 'text', (column) => column.notNull())
    .addColumn('target', 'text')
    .addColumn('endpointId', 'text')
    .addColumn('jobId', 'text')
    .addColumn('archiveId', 'text')
    .addColumn('version', 'bigint', (column) => column.notNull())
    .addColumn('data', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('notification_events_by_age')
    .on('notificationEvents')
    .columns(['at', 'id'])
    .execute();
  await db.schema
    .createTable('deliveries')
    .addColumn('destination', 'text', (column) => column.notNull())
    .addColumn('eventId', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('jobId', 'text')
    .addColumn('archiveId', 'text')
    .addColumn('version', 'bigint', (column) => column.notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('dueAt', 'bigint', (column) => column.notNull())
    .addColumn('tries', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('owner', 'text')
    .addColumn('leasedUntil', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('triedAt', 'bigint')
    .addColumn('status', 'integer')
    .addColumn('error', 'text')
    .addColumn('endedAt', 'bigint')
    .addPrimaryKeyConstraint('deliveries_pk', ['destination', 'eventId'])
    .execute();
  await db.schema
    .createIndex('deliveries_due')
    .on('deliveries')
    .columns(['destination', 'dueAt', 'eventId'])
    .where(sql<boolean>`state = 'pending'`)
    .execute();
  await db.schema
    .createIndex('deliveries_of_destination')
    .on('deliveries')
    .columns(['destination', 'at', 'eventId'])
    .execute();
  await db.schema
    .createIndex('deliveries_by_end')
    .on('deliveries')
    .columns(['endedAt'])
    .where(sql<boolean>`ended_at is not null`)
    .execute();
  await db.schema
    .createTable('notificationSinks')
    .addColumn('destination', 'text', (column) => column.primaryKey())
    .addColumn('target', 'text', (column) => column.notNull())
    .addColumn('confirmedAt', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('notification_sinks_of_target')
    .on('notificationSinks')
    .columns(['target', 'destination'])
    .execute();
}
