import type { Database } from '#database/database.ts';
import { engineSql } from '#database/engine-sql.ts';
import type { ProblemSlug } from '#problems/catalogue.ts';
import { Problem } from '#problems/problem.ts';
import type { CreateProblem } from '#targets/slot/slot.ts';
import { slugOf } from '../../dispatcher/attempts/stored-problem.ts';
import type { SliceProblem } from '../../export-job.ts';

const waitRemedy =
  'Do nothing at first: the service tries again by itself, mostly within a minute. If this lasts, ask the operator of the service. The log has the answer of AWS in `AWS refused a create, retrying` or `lost the answer to a create`.';

// Problems of the target, and what to do. All others are about one slice: only its job may show them.
const remedies: Partial<Record<ProblemSlug, string>> = {
  'export-slot-taken':
    'Do nothing: slices start when the task in the slot has ended. GET /targets/{target} has the task, if you may see it.',
  'aws-throttled': waitRemedy,
  'aws-unavailable': waitRemedy,
  'aws-timeout': waitRemedy,
  'aws-unexpected': waitRemedy,
  'service-role-unusable': waitRemedy,
  'service-role-not-permitted':
    'Ask the operator of the service to allow logs:CreateExportTask for the service role of the target. Then retry the jobs with failed slices: POST /export-jobs/{jobId}/retry.',
};

/** The attempt in the slot of a target, if there is one. */
interface ActiveAttempt {
  taskId: string | null;
  submittedAt: number;
  problem: string | null;
}

/**
 * Reads why the newest create at a target led to no task, if slices still wait for that reason. The text has
 * nothing of the job whose create it was: others see it, too.
 */
export async function readCreateProblem(
  database: Database,
  target: string,
  active: ActiveAttempt | undefined,
  hasReadySlices: boolean,
): Promise<CreateProblem | undefined> {
  if (active && active.taskId !== null) return undefined;
  const stored = active?.problem ?? (await readNewest(database, target, hasReadySlices));
  if (!stored) return undefined;
  const problem: SliceProblem = JSON.parse(stored);
  const slug = slugOf(problem);
  const remedy = remedies[slug];
  if (remedy === undefined) return undefined;
  const { awsErrorCode } = problem;
  const detail =
    awsErrorCode === undefined
      ? 'The newest CreateExportTask was not sent, or AWS gave no answer.'
      : `AWS answered the newest CreateExportTask with ${awsErrorCode}.`;
  const since = (await readSince(database, target, slug)) ?? active?.submittedAt;
  return { problem: new Problem(slug, detail, { remedy }), since };
}

/** Reads the problem of the attempt that ended last, unless it is over: then nothing waits that AWS refused. */
async function readNewest(
  { queries }: Database,
  target: string,
  hasReadySlices: boolean,
): Promise<string | null> {
  const newest = await queries
    .selectFrom('attempts')
    .innerJoin('slices', (on) =>
      on.onRef('slices.jobId', '=', 'attempts.jobId').onRef('slices.number', '=', 'attempts.slice'),
    )
    .where('attempts.target', '=', target)
    .where('attempts.endedAt', 'is not', null)
    .orderBy('attempts.endedAt', 'desc')
    .limit(1)
    .select(['attempts.taskId', 'attempts.problem', 'slices.state'])
    .executeTakeFirst();
  const isOver = !hasReadySlices && newest?.state !== 'waiting';
  return newest && newest.taskId === null && !isOver ? newest.problem : null;
}

/** Reads when a problem came first after the last create that AWS accepted. */
async function readSince(
  { queries, kind }: Database,
  target: string,
  slug: ProblemSlug,
): Promise<number | undefined> {
  const ended = queries
    .selectFrom('attempts')
    .where('target', '=', target)
    .where('endedAt', 'is not', null)
    .orderBy('endedAt', 'desc')
    .limit(1);
  const accepted = await ended.where('taskId', 'is not', null).select('endedAt').executeTakeFirst();
  const first = await queries
    .selectFrom('attempts')
    .where('target', '=', target)
    .where('endedAt', '>=', accepted?.endedAt ?? 0)
    .where('taskId', 'is', null)
    .where(engineSql[kind].jsonText('problem', 'type'), '=', `/problems/${slug}`)
    .select(({ fn }) => fn.min('submittedAt').as('since'))
    .executeTakeFirst();
  return first?.since ?? undefined;
}
