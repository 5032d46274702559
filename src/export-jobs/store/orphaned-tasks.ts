import type { Database } from '#database/database.ts';
import { type Installation, markerPrefix } from '#targets/marker.ts';

/** What is known of an attempt that a task names in its marker. */
export interface MarkedAttempt {
  marker: string;
  jobId: string;
  /** Who asked for the job. */
  caller: string;
  taskId: string | null;
  outcome: string | null;
  // What it asked for.
  logGroupName: string;
  fromAt: number;
  toAt: number;
  destination: string;
  destinationPrefix: string;
}

/** Reads what markers are made with, once; as long as the database is away, with each call again. */
export function makeInstallationReader({ queries }: Database): () => Promise<Installation> {
  let known: Promise<Installation> | undefined;
  return () => {
    known ??= queries
      .selectFrom('installation')
      .select(['id', 'secret'])
      .executeTakeFirstOrThrow()
      .catch((error) => {
        known = undefined;
        throw error;
      });
    return known;
  };
}

/**
 * Says whether a task name is kept for the tasks of export jobs. While the database is away nobody can
 * tell, so none is.
 */
export function makeIsMarker(
  readInstallation: () => Promise<Installation>,
): (taskName: string) => Promise<boolean> {
  return (taskName) =>
    readInstallation().then(
      ({ id }) => taskName.startsWith(markerPrefix(id)),
      () => false,
    );
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
    .innerJoin('slices', (join) =>
      join
        .onRef('slices.jobId', '=', 'attempts.jobId')
        .onRef('slices.number', '=', 'attempts.slice'),
    )
    .select(['marker', 'attempts.jobId', 'jobs.caller', 'taskId', 'outcome'])
    .select(['slices.logGroupName', 'slices.fromAt', 'slices.toAt'])
    .select(['jobs.destination', 'attempts.destinationPrefix'])
    .where('marker', 'in', markers)
    .execute();
  return new Map(rows.map((row) => [row.marker, row]));
}

/** Writes an orphan task down; whether it was new. */
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
