import type { Database, Queries } from '#database/database.ts';

/** What a transaction of the purge has at hand. */
export interface PurgeTransaction {
  queries: Queries;
  kind: Database['kind'];
  /** The time on the database's clock. */
  at: number;
  /** How many rows of a table it may delete. */
  maxRows: number;
}

/** The kinds of rows that are deleted, as the log has them. */
export type PurgedRow =
  | 'jobs'
  | 'slices'
  | 'attempts'
  | 'verifications'
  | 'events'
  | 'idempotencyKeys'
  | 'deletedJobs'
  | 'auditEntries'
  | 'orphanedTasks'
  | 'queues'
  | 'deliveries';

/** How many rows were deleted, by kind. */
export type Deleted = Partial<Record<PurgedRow, number>>;

/**
 * One step of the purge: it deletes a few rows in its transaction, and returns how many. `undefined` when
 * there was nothing to do.
 */
export type DeletionStep = (transaction: PurgeTransaction) => Promise<Deleted | undefined>;
