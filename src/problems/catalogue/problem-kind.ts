import { inWords, statedLimits } from '../limits.ts';

/** What a kind of problem is, in words for the caller. Nothing here depends on one request. */
export interface ProblemKind {
  /** HTTP status the problem is answered with. */
  readonly status: number;
  readonly title: string;
  /** What happened and why, for somebody who meets it for the first time. */
  readonly explanation: string;
  /** What to do about it. */
  readonly remedy: string;
  /**
   * Whether a client may automatically repeat what failed: it does no harm, and can succeed without a
   * fix. For a slice, the repeat is a retry of its job.
   */
  readonly isRetryable: boolean;
  /** Seconds to wait before trying again, sent as `Retry-After`. Every 429 and 503 has it. */
  readonly retryAfterSeconds?: number;
}

/** Ends the explanation of a problem that no request is answered with. */
export const onlyInSlices =
  'No request is answered with this problem. It is in the slice, in `failures` of the job and in the events of the job.';

/** What a slice does after a create without a clear outcome. */
export const sentAgain = `Each attempt sends CreateExportTask with a task name of its own. If AWS may have created a task, the service looks for this name in the list of AWS. If the task is there, the slice continues with it. If it is still not there after ${inWords(statedLimits.lateEffectMs)}, the service sends the slice again. After several attempts, the slice fails.`;

/** What a slice does after a create that AWS refused for a reason of the slot or the service role. */
export const backInQueue =
  'If an attempt of a slice has this problem, the slice goes back into the queue. It is sent again automatically.';

/** Follows a remedy that retries a job. */
export const forPartitions =
  'A job of an archive cannot be retried. The archive itself exports a failed partition again, with a new job and another prefix, a few times. If you do not want to wait, request a backfill with `"reprocess": "failed"`.';

/** Ends the remedy of a problem that a slice can have. */
export const retryTheJob = `If a slice failed, retry the job with POST /export-jobs/{jobId}/retry. ${forPartitions}`;
