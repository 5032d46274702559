/** What a kind of problem is, in words for the caller. Nothing here depends on one request. */
export interface ProblemKind {
  /** HTTP status the problem is answered with. */
  readonly status: number;
  readonly title: string;
  /** What happened and why, for somebody who meets it for the first time. */
  readonly explanation: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Whether the same request, sent again later, may succeed. */
  readonly isRetryable: boolean;
  /** Seconds to wait before trying again, sent as `Retry-After`. Every 429 and 503 has it. */
  readonly retryAfterSeconds?: number;
}

/** Ends the explanation of a problem that no request is answered with. */
export const onlyInSlices =
  'This problem is only in slices, in the `failures` of a job and in its events. It is never an HTTP answer.';
