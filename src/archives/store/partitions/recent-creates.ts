import type { Database, Queries } from '#database/database.ts';
import { engineSql } from '#database/engine-sql.ts';
import type { SliceProblem } from '#export-jobs/export-job.ts';
import type { SliceState } from '#export-jobs/slice.ts';
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

/** The exports among which an accepted one is looked for. */
interface RecentExports {
  archiveId: string;
  /** Jobs that are looked at however old they are. */
  jobIds: readonly string[];
  /** Since when they were sent, epoch ms. */
  sinceAt: number;
  /** The states of their slices. Default: each state. */
  states?: readonly SliceState[] | undefined;
}

/** Whether AWS has accepted an export of an archive since a moment. */
export async function hasAcceptedExport(
  queries: Queries,
  { archiveId, jobIds, sinceAt, states }: RecentExports,
): Promise<boolean> {
  const accepted = await queries
    .selectFrom('jobs')
    .innerJoin('attempts', 'attempts.jobId', 'jobs.id')
    .innerJoin('slices', (on) =>
      on.onRef('slices.jobId', '=', 'attempts.jobId').onRef('slices.number', '=', 'attempts.slice'),
    )
    .select('jobs.id')
    .where('jobs.archiveId', '=', archiveId)
    .where((job) =>
      job.or([
        job('jobs.acceptedAt', '>=', sinceAt - longestWaitMs),
        ...(jobIds.length > 0 ? [job('jobs.id', 'in', jobIds)] : []),
      ]),
    )
    .where('attempts.taskId', 'is not', null)
    .where('attempts.submittedAt', '>=', sinceAt)
    .$if(states !== undefined, (query) => query.where('slices.state', 'in', states ?? []))
    .limit(1)
    .executeTakeFirst();
  return accepted !== undefined;
}

// Jobs that were accepted earlier than this and started later are not looked at. Shorter: an archive is stopped for
// nothing, or for too long. Longer: the search reads more jobs.
const longestWaitMs = 7 * dayMs;
