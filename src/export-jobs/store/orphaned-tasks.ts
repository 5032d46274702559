import type { Database } from '#database/database.ts';
import { readTaskParameters, type TaskParameters } from '../task-parameters.ts';

/** An attempt that was found by its marker. */
export interface MarkedAttempt {
  marker: string;
  jobId: string;
  /** The caller of the job. */
  caller: string;
  taskId: string | null;
  outcome: string | null;
  // What it exports.
  logGroupName: string;
  fromAt: number;
  toAt: number;
  destination: string;
  destinationPrefix: string;
  taskParameters: TaskParameters | null;
}

/** Finds attempts by their markers. A marker without a row is left out. */
export async function findAttemptsByMarker(
  database: Database,
  markers: readonly string[],
): Promise<Map<string, MarkedAttempt>> {
  if (markers.length === 0) return new Map();
  const rows = await database.queries
    .selectFrom('attempts')
    .innerJoin('jobs', 'jobs.id', 'attempts.jobId')
    .innerJoin('slices', (join) =>
      join
        .onRef('slices.jobId', '=', 'attempts.jobId')
        .onRef('slices.number', '=', 'attempts.slice'),
    )
    .select(['marker', 'attempts.jobId', 'jobs.caller', 'taskId', 'outcome'])
    .select(['slices.logGroupName', 'slices.fromAt', 'slices.toAt'])
    .select(['jobs.destination', 'attempts.destinationPrefix', 'taskParameters'])
    .where('marker', 'in', markers)
    .execute();
  return new Map(
    rows.map(({ taskParameters, ...row }) => [
      row.marker,
      { ...row, taskParameters: readTaskParameters(taskParameters) },
    ]),
  );
}

/** Finds which of some jobs were deleted. */
export async function findDeletedJobs(
  { queries }: Database,
  jobIds: readonly string[],
): Promise<Set<string>> {
  if (jobIds.length === 0) return new Set();
  const query = queries.selectFrom('deletedJobs').select('id').where('id', 'in', jobIds);
  return new Set((await query.execute()).map(({ id }) => id));
}

/** Records an orphaned task. Returns whether it was new. */
export async function recordOrphan(
  database: Database,
  orphan: { taskId: string; target: string; marker: string; jobId: string | null },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await database.queries
    .insertInto('strays')
    .values({ ...orphan, detectedAt: database.now() })
    .onConflict((conflict) => conflict.column('taskId').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/**
 * Notes that a task of ours may exist that no slice knows, so that the next owners of the slot look for
 * it. It needs no lease.
 */
export async function notePossibleOrphan(database: Database, target: string): Promise<void> {
  await database.queries
    .updateTable('slots')
    .set({ sentAt: database.now() })
    .where('target', '=', target)
    .execute();
}
