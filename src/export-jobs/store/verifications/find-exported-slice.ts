import type { Database } from '#database/database.ts';

/** A completed slice, and where its objects are. */
export interface ExportedSlice {
  number: number;
  attempt: number;
  logGroupName: string;
  destinationPrefix: string;
  taskId: string;
}

/**
 * Finds the next completed slice of a job, from a number on, and whether another one follows. A slice that
 * was found to be empty is left out.
 */
export async function findExportedSlice(
  { queries }: Database,
  jobId: string,
  from: number,
): Promise<{ slice: ExportedSlice | undefined; next: number | undefined }> {
  const rows = await queries
    .selectFrom('slices')
    .innerJoin('attempts', (join) =>
      join
        .onRef('attempts.jobId', '=', 'slices.jobId')
        .onRef('attempts.slice', '=', 'slices.number')
        .onRef('attempts.attempt', '=', 'slices.attempt'),
    )
    .leftJoin('verifications', (join) =>
      join
        .onRef('verifications.jobId', '=', 'slices.jobId')
        .onRef('verifications.slice', '=', 'slices.number')
        .onRef('verifications.attempt', '=', 'slices.attempt'),
    )
    .select(['slices.number', 'slices.attempt', 'slices.logGroupName'])
    .select(['attempts.destinationPrefix', 'attempts.taskId'])
    .where('slices.jobId', '=', jobId)
    .where('slices.state', '=', 'completed')
    .where('slices.number', '>=', from)
    .where('attempts.taskId', 'is not', null)
    .where(({ eb, or }) => or([eb('isEmpty', 'is', null), eb('isEmpty', '=', 0)]))
    .orderBy('slices.number')
    .limit(2)
    .execute();
  const [slice, following] = rows as ExportedSlice[];
  return { slice, next: following?.number };
}
