import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** The queue, its slots and the history of its slices. */
export const exportJobs: Migration = {
  async up(db: Kysely<never>) {
    await db.schema
      .createTable('jobs')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('target', 'text', (column) => column.notNull())
      .addColumn('caller', 'text', (column) => column.notNull())
      .addColumn('name', 'text')
      .addColumn('priority', 'integer', (column) => column.notNull())
      .addColumn('sliceBy', 'text', (column) => column.notNull())
      .addColumn('fromAt', 'bigint', (column) => column.notNull())
      .addColumn('toAt', 'bigint', (column) => column.notNull())
      .addColumn('destination', 'text', (column) => column.notNull())
      .addColumn('destinationPrefix', 'text', (column) => column.notNull())
      .addColumn('logStreamNamePrefix', 'text')
      .addColumn('isUnsettledAllowed', 'integer', (column) => column.notNull())
      .addColumn('logGroupBytes', 'bigint')
      .addColumn('acceptedAt', 'bigint', (column) => column.notNull())
      .addColumn('cancelRequestedAt', 'bigint')
      .addColumn('version', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema
      .createIndex('jobs_of_caller_by_age')
      .on('jobs')
      .columns(['caller', 'acceptedAt', 'id'])
      .execute();

    await db.schema
      .createTable('slices')
      .addColumn('jobId', 'text', (column) => column.notNull().references('jobs.id'))
      .addColumn('number', 'integer', (column) => column.notNull())
      .addColumn('target', 'text', (column) => column.notNull())
      .addColumn('caller', 'text', (column) => column.notNull())
      .addColumn('priority', 'integer', (column) => column.notNull())
      .addColumn('logGroupName', 'text', (column) => column.notNull())
      .addColumn('fromAt', 'bigint', (column) => column.notNull())
      .addColumn('toAt', 'bigint', (column) => column.notNull())
      .addColumn('notBeforeAt', 'bigint')
      .addColumn('readyAt', 'bigint', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('attempt', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('failures', 'integer', (column) => column.notNull().defaultTo(0))
      .addColumn('problem', 'text')
      .addPrimaryKeyConstraint('slices_pk', ['jobId', 'number'])
      .execute();
    // The queue: the first entry of each (target, priority, caller) is the next one of that caller.
    await db.schema
      .createIndex('slices_in_line')
      .on('slices')
      .columns(['target', 'priority', 'caller', 'readyAt', 'jobId', 'number'])
      .where(sql.ref('state'), '=', sql.lit('waiting'))
      .execute();
    // One slice per slot: the database guarantees it, whatever else goes wrong.
    await db.schema
      .createIndex('slices_in_slot')
      .unique()
      .on('slices')
      .column('target')
      .where(sql.ref('state'), 'in', sql`('starting', 'running', 'cancelling')`)
      .execute();
    await db.schema
      .createIndex('slices_by_state')
      .on('slices')
      .columns(['jobId', 'state'])
      .execute();

    await db.schema
      .createTable('attempts')
      .addColumn('jobId', 'text', (column) => column.notNull())
      .addColumn('slice', 'integer', (column) => column.notNull())
      .addColumn('attempt', 'integer', (column) => column.notNull())
      .addColumn('target', 'text', (column) => column.notNull())
      .addColumn('marker', 'text', (column) => column.notNull().unique())
      .addColumn('destinationPrefix', 'text', (column) => column.notNull())
      .addColumn('fence', 'bigint', (column) => column.notNull())
      .addColumn('submittedAt', 'bigint', (column) => column.notNull())
      .addColumn('taskId', 'text')
      .addColumn('taskCreatedAt', 'bigint')
      .addColumn('taskCompletedAt', 'bigint')
      .addColumn('endedAt', 'bigint')
      .addColumn('outcome', 'text')
      .addColumn('problem', 'text')
      .addPrimaryKeyConstraint('attempts_pk', ['jobId', 'slice', 'attempt'])
      .addForeignKeyConstraint('attempts_of_slices', ['jobId', 'slice'], 'slices', [
        'jobId',
        'number',
      ])
      .execute();
    await db.schema
      .createIndex('attempts_by_end')
      .on('attempts')
      .columns(['target', 'endedAt'])
      .execute();

    await db.schema
      .createTable('events')
      .addColumn('jobId', 'text', (column) => column.notNull().references('jobs.id'))
      .addColumn('version', 'bigint', (column) => column.notNull())
      .addColumn('at', 'bigint', (column) => column.notNull())
      .addColumn('type', 'text', (column) => column.notNull())
      .addColumn('data', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('events_pk', ['jobId', 'version'])
      .execute();

    await db.schema
      .createTable('idempotencyKeys')
      .addColumn('caller', 'text', (column) => column.notNull())
      .addColumn('key', 'text', (column) => column.notNull())
      .addColumn('digest', 'text', (column) => column.notNull())
      .addColumn('jobId', 'text', (column) => column.notNull())
      .addColumn('createdAt', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('idempotency_keys_pk', ['caller', 'key'])
      .execute();

    await db.schema
      .createTable('lines')
      .addColumn('target', 'text', (column) => column.notNull())
      .addColumn('priority', 'integer', (column) => column.notNull())
      .addColumn('caller', 'text', (column) => column.notNull())
      .addColumn('lastTurn', 'bigint', (column) => column.notNull().defaultTo(0))
      .addPrimaryKeyConstraint('lines_pk', ['target', 'priority', 'caller'])
      .execute();

    await db.schema
      .createTable('slots')
      .addColumn('target', 'text', (column) => column.primaryKey())
      .addColumn('accountId', 'text', (column) => column.notNull())
      .addColumn('region', 'text', (column) => column.notNull())
      .addColumn('owner', 'text')
      .addColumn('fence', 'bigint', (column) => column.notNull().defaultTo(0))
      .addColumn('leasedUntil', 'bigint', (column) => column.notNull().defaultTo(0))
      .addColumn('turns', 'bigint', (column) => column.notNull().defaultTo(0))
      .addColumn('foreignTaskId', 'text')
      .addColumn('foreignLogGroupName', 'text')
      .addColumn('foreignSince', 'bigint')
      .addColumn('foreignSeenAt', 'bigint')
      .execute();

    await db.schema
      .createTable('strays')
      .addColumn('taskId', 'text', (column) => column.primaryKey())
      .addColumn('target', 'text', (column) => column.notNull())
      .addColumn('marker', 'text', (column) => column.notNull())
      .addColumn('jobId', 'text')
      .addColumn('detectedAt', 'bigint', (column) => column.notNull())
      .execute();

    await db.schema
      .createTable('installation')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .execute();
    await sql`insert into installation (id) values (${randomUUID().slice(0, 8)})`.execute(db);
  },
};
