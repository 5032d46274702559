import type { Database } from '#database/database.ts';

/** What is known of an attempt that a task names in its marker. */
export interface MarkedAttempt {
  marker: string;
  jobId: string;
  /** Who asked for the job. */
  caller: string;
  taskId: string | null;
  outcome: string | null;
}

/** The id of this database, which begins every marker of ours. */
export async function readInstallation(database: Database): Promise<string> {
  const { id } = await database.queries
    .selectFrom('installation')
    .select('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** The attempts of these markers, by marker; one without a row is absent. */
export async function findAttempts(
  database: Database,
  markers: readonly string[],
): Promise<Map<string, MarkedAttempt>> {
  if (markers.length === 0) return new Map();
  const rows = await database.queries
    .selectFrom('attempts')
    .innerJoin('jobs', 'jobs.id', 'attempts.jobId')
    .select(['marker', 'jobId', 'caller', 'taskId', 'outcome'])
    .where('marker', 'in', markers)
    .execute();
  return new Map(rows.map((row) => [row.marker, row]));
}

/** Writes a stray task down; whether it was new. */
export async function recordStray(
  database: Database,
  stray: { taskId: string; target: string; marker: string; jobId: string | null },
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await database.queries
    .insertInto('strays')
    .values({ ...stray, detectedAt: database.now() })
    .onConflict((conflict) => conflict.column('taskId').doNothing())
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}
