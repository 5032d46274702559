import type { Queries } from '#database/database.ts';

/** Reads the start of the first time of selected log groups that is lost and not waived; null if none is. */
export async function readFirstLost(
  queries: Queries,
  archiveId: string,
  isSelected: (logGroupName: string) => boolean,
): Promise<number | null> {
  const rows = await queries
    .selectFrom('archiveRanges')
    .select('logGroupName')
    .select(({ fn }) => fn.min('fromAt').as('fromAt'))
    .where('archiveId', '=', archiveId)
    .where('state', '=', 'lost')
    .groupBy('logGroupName')
    .execute();
  const starts = rows.flatMap((row) => (isSelected(row.logGroupName) ? row.fromAt : []));
  return starts.length === 0 ? null : Math.min(...starts);
}

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

const dayMs = 86_400_000;
