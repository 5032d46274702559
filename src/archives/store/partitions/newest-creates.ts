import type { Database, Queries } from '#database/database.ts';
import { engineSql } from '#database/engine-sql.ts';
import type { SliceProblem } from '#export-jobs/export-job.ts';
import { dayMs } from '#time/durations.ts';

/**
 * Whether a partition of another log group of the archive failed with the same problem, and AWS has accepted no
 * create of the archive since. Otherwise a role that may export all log groups but two would stop an archive of a
 * thousand.
 */
export async function isRefusedInRow(
  queries: Queries,
  { kind }: Pick<Database, 'kind'>,
  { archiveId, logGroupName }: { archiveId: string; logGroupName: string },
  { type }: Pick<SliceProblem, 'type'>,
): Promise<boolean> {
  const met = await queries
    .selectFrom('archivePartitions')
    .innerJoin('attempts', 'attempts.jobId', 'archivePartitions.jobId')
    .select(({ fn }) => fn.max<number | null>('attempts.submittedAt').as('at'))
    .where('archivePartitions.archiveId', '=', archiveId)
    .where('archivePartitions.state', '=', 'missing')
    .where('archivePartitions.logGroupName', '!=', logGroupName)
    .where(engineSql[kind].jsonText('archivePartitions.problem', 'type'), '=', type)
    .executeTakeFirstOrThrow();
  if (met.at === null) return false;
  const accepted = await queries
    .selectFrom('jobs')
    .innerJoin('attempts', 'attempts.jobId', 'jobs.id')
    .select('jobs.id')
    .where('jobs.archiveId', '=', archiveId)
    .where('jobs.acceptedAt', '>=', met.at - longestWaitMs)
    .where('attempts.taskId', 'is not', null)
    .where('attempts.submittedAt', '>=', met.at)
    .limit(1)
    .executeTakeFirst();
  return accepted === undefined;
}

/** Whether AWS accepted the newest create of an archive. `at` is now, in epoch ms. */
export async function isNewestAccepted(
  queries: Queries,
  archiveId: string,
  at: number,
): Promise<boolean> {
  const newest = await queries
    .selectFrom('jobs')
    .innerJoin('attempts', 'attempts.jobId', 'jobs.id')
    .select('attempts.taskId')
    .where('jobs.archiveId', '=', archiveId)
    .where('jobs.acceptedAt', '>=', at - longestWaitMs)
    .orderBy('attempts.submittedAt', 'desc')
    .limit(1)
    .executeTakeFirst();
  return newest !== undefined && newest.taskId !== null;
}

// Jobs that were accepted earlier than this and started later are not looked at. Shorter: an archive is stopped for
// nothing, or for too long. Longer: the search reads more jobs.
const longestWaitMs = 7 * dayMs;
