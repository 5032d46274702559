import { sql } from 'kysely';

import { gatewayItself } from '#audit/audit.ts';
import type { Database, Queries } from '#database/database.ts';
import { engineSql } from '#database/engine-sql.ts';
import type { ProblemSlug } from '#problems/catalogue.ts';
import type { SliceProblem } from '../../export-job.ts';
import { recordChange } from '../record-change.ts';
import { changeSlices } from '../requests/change-slices.ts';

/**
 * The waiting slices of a job that end with the problem of one of its slices.
 * - `slice`: none.
 * - `log-group`: those of the same log group.
 * - `log-group-then-job`: those of the same log group. All, if another log group had this problem before and
 *   AWS has accepted no create of the job since.
 * - `job`: all.
 */
export type CauseScope = 'slice' | 'log-group' | 'log-group-then-job' | 'job';

/** A problem that waiting slices of a job share with the slice that met it. */
export interface SharedCause {
  slug: ProblemSlug;
  problem: SliceProblem;
  scope: CauseScope;
}

/** The slice that met a shared cause. */
interface CauseFinder {
  jobId: string;
  logGroupName: string;
  marker: string;
}

/**
 * Ends the waiting slices of a job that share a cause with one of its slices. Records one change for all of
 * them. Returns how many they are. The job is locked and the slice has ended before.
 */
export async function failWaitingSlices(
  queries: Queries,
  database: Database,
  finder: CauseFinder,
  { slug, problem, scope }: SharedCause,
): Promise<number> {
  if (scope === 'slice') return 0;
  const { jobId, logGroupName, marker } = finder;
  const isOfJob =
    scope === 'job' ||
    (scope === 'log-group-then-job' && (await isMetInRow(queries, database, finder, problem)));
  // Only the slice that met the cause stores the policy: it can have 20 kB.
  const { bucketPolicy: _stored, ...shortProblem } = problem;
  const slices = await changeSlices(
    queries,
    { jobId, state: 'waiting', logGroupName: isOfJob ? undefined : logGroupName },
    { state: 'failed', problem: JSON.stringify(shortProblem) },
  );
  if (slices === 0) return 0;
  const ofLogGroup = isOfJob ? {} : { logGroupName };
  await recordChange(
    queries,
    database,
    jobId,
    { type: 'slices-failed', slices, problem: slug, ...ofLogGroup },
    { action: 'CreateExportTask', principal: gatewayItself, requestId: marker, ...ofLogGroup },
  );
  return slices;
}

/**
 * Whether a slice of another log group of the job had the same problem, and AWS has accepted no create of the
 * job since. Otherwise a role that may export all log groups but two would end a job of a hundred.
 */
async function isMetInRow(
  queries: Queries,
  { kind }: Database,
  { jobId, logGroupName }: CauseFinder,
  problem: SliceProblem,
): Promise<boolean> {
  const { metAt } = await queries
    .selectFrom('slices')
    .innerJoin('attempts', (join) =>
      join
        .onRef('attempts.jobId', '=', 'slices.jobId')
        .onRef('attempts.slice', '=', 'slices.number')
        .onRef('attempts.attempt', '=', 'slices.attempt'),
    )
    .select(({ fn }) => fn.max('attempts.submittedAt').as('metAt'))
    .where('slices.jobId', '=', jobId)
    .where('slices.state', '=', sql.lit('failed'))
    .where('slices.logGroupName', '!=', logGroupName)
    .where('attempts.outcome', '=', 'refused')
    .where(engineSql[kind].jsonText('slices.problem', 'type'), '=', problem.type)
    .executeTakeFirstOrThrow();
  if (metAt === null) return false;
  const accepted = await queries
    .selectFrom('attempts')
    .select('slice')
    .where('jobId', '=', jobId)
    .where('taskId', 'is not', null)
    .where('submittedAt', '>=', metAt)
    .executeTakeFirst();
  return accepted === undefined;
}
