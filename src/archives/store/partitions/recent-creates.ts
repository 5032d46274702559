import type { Database, Queries } from '#database/database.ts';
import { engineSql } from '#database/engine-sql.ts';
import type { SliceProblem } from '#export-jobs/export-job.ts';
import { dayMs } from '#time/durations.ts';

/**
 * Whether AWS has refused two log groups of the archive with the same problem since it accepted a create of the
 * archive. Log groups that it had refused before that, too, do not count: otherwise a role that may export all log
 * groups but two would stop an archive of a thousand.
 */
export async function isRefusedInRow(
  queries: Queries,
  { kind }: Pick<Database, 'kind'>,
  { archiveId, logGroupName }: { archiveId: string; logGroupName: string },
  { type }: Pick<SliceProblem, 'type'>,
): Promise<boolean> {
  const refused = await queries
    .selectFrom('archivePartitions')
    .innerJoin('attempts', 'attempts.jobId', 'archivePartitions.jobId')
    .select('archivePartitions.logGroupName')
    .select(({ fn }) => fn.min<number>('attempts.submittedAt').as('firstAt'))
    .select(({ fn }) => fn.max<number>('attempts.submittedAt').as('lastAt'))
    .where('archivePartitions.archiveId', '=', archiveId)
    .where(engineSql[kind].jsonText('attempts.problem', 'type'), '=', type)
    .groupBy('archivePartitions.logGroupName')
    .execute();
  const others = refused.filter((each) => each.logGroupName !== logGroupName);
  if (others.length === 0) return false;
  const sinceAt = Math.max(...others.map(({ lastAt }) => lastAt)) - longestWaitMs;
  const accepted = await queries
    .selectFrom('jobs')
    .innerJoin('attempts', 'attempts.jobId', 'jobs.id')
    .select(({ fn }) => fn.max<number | null>('attempts.submittedAt').as('at'))
    .where('jobs.archiveId', '=', archiveId)
    .where('jobs.acceptedAt', '>=', sinceAt)
    .where('attempts.taskId', 'is not', null)
    .executeTakeFirstOrThrow();
  const acceptedAt = accepted.at ?? -Infinity;
  const isNew = refused.some(({ firstAt }) => firstAt > acceptedAt);
  return isNew && others.some(({ lastAt }) => lastAt > acceptedAt);
}

/** The exports among which an accepted one is looked for. */
interface RecentExports {
  archiveId: string;
  /** Jobs that are looked at however old they are. */
  jobIds: readonly string[];
  /** Since when they were sent, epoch ms. */
  sinceAt: number;
  /** Whether the export must be verified, too. */
  isVerified: boolean;
}

/** Whether AWS has accepted an export of an archive since a moment. */
export async function hasAcceptedExport(
  queries: Queries,
  { archiveId, jobIds, sinceAt, isVerified }: RecentExports,
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
    .$if(isVerified, (query) =>
      query
        .where('slices.state', '=', 'completed')
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('verifications')
                .select('verifications.slice')
                .whereRef('verifications.jobId', '=', 'attempts.jobId')
                .whereRef('verifications.slice', '=', 'attempts.slice')
                .whereRef('verifications.attempt', '=', 'attempts.attempt')
                .where('verifications.method', '=', 'skipped'),
            ),
          ),
        ),
    )
    .limit(1)
    .executeTakeFirst();
  return accepted !== undefined;
}

// Jobs that were accepted earlier than this and started later are not looked at. Shorter: an archive is stopped for
// nothing, or for too long. Longer: the search reads more jobs.
const longestWaitMs = 7 * dayMs;
