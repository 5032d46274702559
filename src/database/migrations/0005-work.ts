import { type Kysely, sql } from 'kysely';

import type { Database } from '../database.ts';
import { engineSql } from '../engine-sql.ts';

/** How replicas find the targets that have work, and how they share them. */
export const work = {
  async up(db: Kysely<never>, kind: Database['kind']): Promise<void> {
    // The first entry of each target says when its next slice is ready.
    await db.schema
      .createIndex('slices_by_readiness')
      .on('slices')
      .columns(['target', 'readyAt'])
      .where(sql.ref('state'), '=', sql.lit('waiting'))
      .execute();
    for (const column of ['sentAt', 'sweptAt', 'stoodBackUntil']) {
      await db.schema.alterTable('slots').addColumn(column, 'bigint').execute();
    }
    await db.schema.alterTable('slots').addColumn('stoodBack', 'text').execute();
    // The previous version may just have sent something.
    await sql`update slots set sent_at = ${engineSql[kind].now}`.execute(db);
    await db.schema.createIndex('slots_by_send').on('slots').column('sentAt').execute();
    await db.schema
      .createTable('replicas')
      .addColumn('owner', 'text', (column) => column.primaryKey())
      .addColumn('seenAt', 'bigint', (column) => column.notNull())
      .execute();
  },
};
