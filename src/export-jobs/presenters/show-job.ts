import { awsLimits } from '#problems/limits.ts';
import { showTargetProblem } from '#targets/show-target.ts';
import { type StartProblem, startProblemOf } from '#targets/slot/start-problem.ts';
import type { Targets } from '#targets/target.ts';
import { toDateTime } from '#time/date-time.ts';
import { type ExportJob, showProblem } from '../export-job.ts';
import { hasEnded, jobStateOf } from '../job-state.ts';
import type { SliceBy } from '../planning/calendar/slice-units.ts';
import type { PlannedJobFacts } from '../planning/plan-job.ts';
import { warningsOfTemplate } from '../planning/prefix-warnings.ts';
import type { VerificationMode } from '../planning/verification-mode.ts';
import type { JobPosition, QueueView } from '../queue/position.ts';
import { deletedMeanwhile } from '../store/deleted-job.ts';
import type { JobCache } from '../store/reads/job-cache.ts';
import type { JobHead } from '../store/reads/read-heads.ts';
import type { JobSnapshot } from '../store/reads/read-jobs.ts';
import { readTaskParameters } from '../task-parameters.ts';
import { warningsOfVerification } from './verification-warnings.ts';

// Fewer: a second cause stays hidden. More: answers grow, and few callers read that far.
const maxFailures = 5;

/** A job as callers see it, with its version. */
interface ShownJob {
  job: ExportJob;
  version: number;
  /** From its version, its position in the queue, and what keeps it there. Weak, because estimates change without it. */
  etag: string;
  hasEnded: boolean;
}

/** Shows the job of a head, at its version or a later one. @throws Problem export-job-deleted */
export type ShowJob = (head: JobHead) => Promise<ShownJob>;

/** Shows the current state of an existing job, to a caller that may read it. */
export type ShowJobNow = (jobId: string) => Promise<ShownJob>;

/** Makes `ShowJob`. `basePath` is the public path prefix of all links. */
export function makeShowJob(options: {
  jobCache: JobCache;
  queue: QueueView;
  targets: Pick<Targets, 'whyClosed'>;
  basePath: string;
}): ShowJob {
  const { jobCache, queue, targets, basePath } = options;
  return async (head) => {
    const [snapshot] = await jobCache.read([head]);
    if (!snapshot) throw deletedMeanwhile();
    const { job, counts } = snapshot;
    const position = counts.waiting > 0 ? await queue.positionOf(job) : undefined;
    const why = position && startProblemOf(targets, job.target, await queue.problemOf(job.target));
    const shown = showJob(snapshot, basePath, position && { ...position, ...why });
    return {
      job: shown,
      version: job.version,
      etag: `W/"${job.version}-${position?.position ?? 0}${why ? `-${why.problem.slug}` : ''}"`,
      hasEnded: hasEnded(shown.state),
    };
  };
}

/** Shows a job, with its position in the queue if it is given. */
export function showJob(
  snapshot: JobSnapshot,
  basePath: string,
  position?: WaitingPosition,
): ExportJob {
  const { job, counts, notBeforeAt, startedAt, changedAt, failures, verified } = snapshot;
  const state = jobStateOf(counts, job.cancelRequestedAt !== null);
  const self = `${basePath}/export-jobs/${job.id}`;
  const facts = showFacts(
    {
      ...job,
      sliceBy: job.sliceBy as SliceBy,
      prefixTemplate: job.destinationPrefix,
      isUnsettledAllowed: job.isUnsettledAllowed === 1,
      verification: job.verification as VerificationMode,
    },
    job.caller,
    job.acceptedAt,
  );
  const warnings = [...(facts.warnings ?? []), ...warningsOfVerification(snapshot)];
  return {
    id: job.id,
    ...facts,
    ...(warnings.length > 0 && { warnings }),
    ...(job.archiveId !== null && { archiveId: job.archiveId, revision: job.revision }),
    state,
    sliceCounts: counts,
    acceptedAt: toDateTime(job.acceptedAt),
    ...(notBeforeAt !== null && { notBeforeAt: toDateTime(notBeforeAt) }),
    ...(startedAt !== null && { startedAt: toDateTime(startedAt) }),
    ...(job.cancelRequestedAt !== null && {
      cancelRequestedAt: toDateTime(job.cancelRequestedAt),
    }),
    ...(hasEnded(state) && { endedAt: toDateTime(changedAt) }),
    ...(position && { queue: showPosition(position, basePath) }),
    ...(job.verification !== 'off' && { verified }),
    failures: failures
      .slice(0, maxFailures)
      .map(({ slices, problem }) => ({ slices, problem: showProblem(problem, basePath) })),
    links: {
      self,
      slices: `${self}/slices`,
      objects: `${self}/objects`,
      events: `${self}/events`,
      cancel: `${self}/cancel`,
      ...(job.archiveId === null && job.cancelRequestedAt === null && { retry: `${self}/retry` }),
    },
  };
}

/** Shows the values of a planned or accepted job. */
export function showFacts(job: PlannedJobFacts, caller: string, acceptedAt: number) {
  const { target, name, priority, fromAt, toAt, sliceBy, destination, prefixTemplate } = job;
  const taskParameters = readTaskParameters(job.taskParameters ?? null);
  const warnings = taskParameters ? [] : warningsOfTemplate(job); // its prefix is no template
  const { timeZone, logStreamNamePrefix, logGroupBytes, isUnsettledAllowed, verification } = job;
  return {
    target,
    ...(name !== null && { name }),
    caller,
    priority,
    from: toDateTime(fromAt),
    to: toDateTime(toAt),
    sliceBy,
    timeZone,
    destination,
    destinationPrefix: prefixTemplate,
    ...(warnings.length > 0 && { warnings }),
    ...(logStreamNamePrefix !== null && { logStreamNamePrefix }),
    ...(logGroupBytes !== null && { logGroupBytes }),
    ...(taskParameters && { taskParameters }),
    verification,
    isUnsettled: isUnsettledAllowed && toAt + awsLimits.settlingMs > acceptedAt,
  };
}

/** Shows the expected start and end of something in the queue, as far as they are known. */
export function showEstimate({ estimatedStartAt, estimatedEndAt }: Omit<JobPosition, 'position'>) {
  return {
    ...(estimatedStartAt !== undefined && { estimatedStartAt: toDateTime(estimatedStartAt) }),
    ...(estimatedEndAt !== undefined && { estimatedEndAt: toDateTime(estimatedEndAt) }),
  };
}

/** A position in the queue, and why the target starts nothing now. */
type WaitingPosition = JobPosition & Partial<StartProblem>;

/** Shows a position. Without an estimate while nothing starts: nobody knows when that ends. */
export function showPosition({ problem, since, ...position }: WaitingPosition, basePath: string) {
  return {
    position: position.position,
    ...(!problem && showEstimate(position)),
    ...(problem && { problem: showTargetProblem(problem, basePath, since) }),
  };
}
