import { warningsOfSlashes } from '#export-tasks/creating/warnings.ts';
import { awsLimits } from '#problems/limits.ts';
import { toDateTime } from '#time/date-time.ts';
import { type ExportJob, showProblem } from '../export-job.ts';
import type { SliceBy } from '../planning/create-export-job.ts';
import type { PlannedJobFacts } from '../planning/plan-job.ts';
import type { JobPosition, QueueView } from '../queue/position.ts';
import { hasEnded, jobStateOf } from '../slice.ts';
import type { JobCache } from '../store/reads/job-cache.ts';
import type { JobHead } from '../store/reads/read-heads.ts';
import type { JobSnapshot } from '../store/reads/read-jobs.ts';

// Nobody reads on after the first few kinds.
const maxFailures = 5;

/** A job as it is shown, with what tells whether it has changed. */
interface ShownJob {
  job: ExportJob;
  version: number;
  /** Of its version and its place in the queue; weak, as estimates change without it. */
  etag: string;
  hasEnded: boolean;
}

/** Shows the job of a head, of its version or a later one. */
export type ShowJob = (head: JobHead) => Promise<ShownJob>;

/** Shows a job that is there as it is now, to somebody who may see it. */
export type ShowJobNow = (jobId: string) => Promise<ShownJob>;

/**
 * Makes `ShowJob` of what is read of jobs and what is known of the queue. `basePath` is what callers
 * put before every path.
 */
export function makeShowJob(jobs: JobCache, queue: QueueView, basePath: string): ShowJob {
  return async (head) => {
    const [reading] = await jobs.read([head]);
    const { job, counts } = reading as JobSnapshot;
    const position = counts.waiting > 0 ? await queue.positionOf(job) : undefined;
    const shown = showJob(reading as JobSnapshot, basePath, position);
    return {
      job: shown,
      version: job.version,
      etag: `W/"${job.version}-${position?.position ?? 0}"`,
      hasEnded: hasEnded(shown.state),
    };
  };
}

/** Shows a job, with its position in the queue if it is given. */
export function showJob(reading: JobSnapshot, basePath: string, position?: JobPosition): ExportJob {
  const { job, counts, notBeforeAt, startedAt, changedAt, failures } = reading;
  const state = jobStateOf(counts, job.cancelRequestedAt !== null);
  const self = `${basePath}/export-jobs/${job.id}`;
  return {
    id: job.id,
    ...showFacts(
      { ...job, sliceBy: job.sliceBy as SliceBy, isUnsettledAllowed: job.isUnsettledAllowed === 1 },
      job.caller,
      job.acceptedAt,
    ),
    state,
    sliceCounts: counts,
    acceptedAt: toDateTime(job.acceptedAt),
    ...(notBeforeAt !== null && { notBeforeAt: toDateTime(notBeforeAt) }),
    ...(startedAt !== null && { startedAt: toDateTime(startedAt) }),
    ...(job.cancelRequestedAt !== null && {
      cancelRequestedAt: toDateTime(job.cancelRequestedAt),
    }),
    ...(hasEnded(state) && { endedAt: toDateTime(changedAt) }),
    ...(position && { queue: showPosition(position) }),
    failures: failures
      .slice(0, maxFailures)
      .map(({ slices, problem }) => ({ slices, problem: showProblem(problem, basePath) })),
    links: {
      self,
      slices: `${self}/slices`,
      events: `${self}/events`,
      cancel: `${self}/cancel`,
      retry: `${self}/retry`,
    },
  };
}

/** Shows what a job is, planned or accepted. */
export function showFacts(job: PlannedJobFacts, caller: string, acceptedAt: number) {
  const { target, name, priority, fromAt, toAt, sliceBy, destination, destinationPrefix } = job;
  const warnings = warningsOfSlashes(destinationPrefix);
  const { timeZone, logStreamNamePrefix, logGroupBytes, isUnsettledAllowed } = job;
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
    destinationPrefix,
    ...(warnings.length > 0 && { warnings }),
    ...(logStreamNamePrefix !== null && { logStreamNamePrefix }),
    ...(logGroupBytes !== null && { logGroupBytes }),
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

function showPosition(position: JobPosition) {
  return { position: position.position, ...showEstimate(position) };
}
