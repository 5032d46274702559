import type { Queries } from '#database/database.ts';
import { dayMs } from '#time/durations.ts';

/** Reads how long tasks of an archive were in the slot since an instant, in ms by the clock of AWS. */
export async function readSlotTime(
  queries: Queries,
  archiveId: string,
  since: number,
): Promise<number> {
  const { totalMs } = await queries
    .selectFrom('jobs')
    .innerJoin('attempts', 'attempts.jobId', 'jobs.id')
    .select((of) =>
      of.fn
        .sum<number | null>(of('attempts.taskCompletedAt', '-', of.ref('attempts.taskCreatedAt')))
        .as('totalMs'),
    )
    .where('jobs.archiveId', '=', archiveId)
    // A job waits for hours if the slot is busy.
    .where('jobs.acceptedAt', '>=', since - dayMs)
    .where('attempts.taskCompletedAt', '>=', since)
    .executeTakeFirstOrThrow();
  return Number(totalMs ?? 0);
}
