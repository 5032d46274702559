import type { Database } from '#database/database.ts';

/** Reads the durations of the latest completed tasks of a target, by AWS's clock, the newest first. */
export async function readDurations(
  database: Database,
  target: string,
  limit: number,
): Promise<{ logGroupName: string; durationMs: number }[]> {
  return database.queries
    .selectFrom('attempts')
    .innerJoin('slices', (join) =>
      join
        .onRef('slices.jobId', '=', 'attempts.jobId')
        .onRef('slices.number', '=', 'attempts.slice'),
    )
    .select((of) => [
      'slices.logGroupName',
      of(of.ref('taskCompletedAt'), '-', of.ref('taskCreatedAt'))
        .$castTo<number>()
        .as('durationMs'),
    ])
    .where('attempts.target', '=', target)
    .where('outcome', '=', 'completed')
    .where('taskCompletedAt', 'is not', null)
    .where('taskCreatedAt', 'is not', null)
    .orderBy('endedAt', 'desc')
    .limit(limit)
    .execute();
}
