import type { ProblemSlug } from '#problems/catalogue.ts';
import { Problem } from '#problems/problem.ts';
import type { StartProblem } from '#targets/slot/start-problem.ts';
import { callerRefused, slugOf } from '../../dispatcher/attempts/stored-problem.ts';
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

/** What an attempt says about the creates of its target. */
interface CreateAttempt {
  taskId: string | null;
  submittedAt: number;
  problem: string | null;
  /** The present state of its slice. */
  state: string;
}

/**
 * Returns why the newest create at a target led to no task. Its slice still waits, or another one was ready before it.
 * `latest` are the attempts that ended, the latest create first. The text has nothing of the job whose create it was:
 * others see it, too.
 */
export function createProblemOf(
  active: CreateAttempt | undefined,
  latest: readonly CreateAttempt[],
  oldestReadyAt = Number.POSITIVE_INFINITY,
): StartProblem | undefined {
  const isAnswered = active && (active.taskId !== null || active.problem !== null);
  const attempts = isAnswered ? [active, ...latest] : latest;
  const accepted = attempts.findIndex(({ taskId }) => taskId !== null);
  const refused = accepted < 0 ? attempts : attempts.slice(0, accepted);
  const [newest] = refused;
  const problem = newest && problemOf(newest);
  if (!problem) return undefined;
  const isTriedAgain = newest.state === 'waiting' || newest.state === 'starting';
  if (!isTriedAgain && newest.submittedAt < oldestReadyAt) return undefined;
  const slug = slugOf(problem);
  const remedy = remedies[slug];
  if (remedy === undefined || problem.detail === callerRefused) return undefined;
  const { awsErrorCode } = problem;
  const detail =
    awsErrorCode === undefined
      ? 'The newest CreateExportTask was not sent, or AWS gave no answer.'
      : `AWS answered the newest CreateExportTask with ${awsErrorCode}.`;
  const first = refused.findLast((attempt) => problemOf(attempt)?.type === problem.type);
  return { problem: new Problem(slug, detail, { remedy }), since: first?.submittedAt };
}

function problemOf({ problem }: CreateAttempt): SliceProblem | undefined {
  return problem === null ? undefined : JSON.parse(problem);
}
