/** The members of the API's documents that the command line shows. The OpenAPI document describes them all. */

/** A problem of a target or of slices. */
export interface ProblemText {
  type: string;
  title: string;
  detail: string;
  remedy: string;
  bucketPolicy?: unknown;
}

/** An error answer. */
export interface ProblemDocument extends ProblemText {
  status: number;
  instance: string;
  isRetryable: boolean;
  errors?: { in: string; pointer: string; detail: string }[];
  awsErrorCode?: string;
  awsRequestId?: string;
}

/** An export job. */
export interface JobDocument {
  id: string;
  name?: string;
  state: string;
  target: string;
  caller: string;
  from: string;
  to: string;
  sliceBy: string;
  timeZone: string;
  destination: string;
  destinationPrefix: string;
  sliceCounts: Record<
    | 'waiting'
    | 'starting'
    | 'running'
    | 'cancelling'
    | 'verifying'
    | 'completed'
    | 'failed'
    | 'cancelled'
    | 'split',
    number
  >;
  acceptedAt: string;
  notBeforeAt?: string;
  startedAt?: string;
  endedAt?: string;
  queue?: {
    position: number;
    estimatedStartAt?: string;
    estimatedEndAt?: string;
    problem?: ProblemText & { since?: string };
  };
  verified?: { slices: number; objects: number; bytes: number };
  warnings?: { pointer: string; detail: string }[];
  failures: { slices: number; problem: ProblemText }[];
  /** `retry` is absent if a retry is refused. */
  links: { retry?: string };
  /** Present if an AWS client has sent the job. */
  taskParameters?: unknown;
}

/** A slice of a job. */
export interface SliceDocument {
  attempts: { submittedAt: string; problem?: ProblemText }[];
}

/** Why no slice of a job runs. */
export interface Hindrance {
  problem: ProblemText;
  /** The time of the attempt that had the problem. Absent if its target has it. */
  attemptAt?: string;
}

/** The checks of an export. */
export interface PreflightDocument {
  verdict: string;
  checks: { name: string; verdict: string; detail: string; remedy?: string; fix?: unknown }[];
}

/** The plan of a job. */
export interface PlanDocument {
  target: string;
  from: string;
  to: string;
  destination: string;
  destinationPrefix: string;
  warnings?: { detail: string }[];
  logGroupNames: string[];
  sliceCount: number;
  slices: {
    number: number;
    logGroupName: string;
    from: string;
    to: string;
    notBeforeAt?: string;
  }[];
  queue: { slicesAhead: number; estimatedStartAt?: string; estimatedEndAt?: string };
  preflight: PreflightDocument;
}

/** An archive. */
export interface ArchiveDocument {
  id: string;
  name: string;
  state: string;
  target: string;
  partitionBy: string;
  destination: string;
  caller: string;
  createdAt: string;
  progress?: {
    watermark?: string;
    logGroupCount: number;
    partitionCounts: Record<string, number>;
  };
}

/** The verified exports of a time range. */
export interface CoverageDocument {
  isCovered: boolean;
  covered: { from: string; to: string }[];
  exports: {
    from: string;
    to: string;
    destination: string;
    prefix: string;
    method: string;
    isEmpty: boolean;
    jobId: string;
    isSuperseded: boolean;
  }[];
  nextCursor?: string;
}

/** A target, with its slot and queue if it was read alone. */
export interface TargetDocument {
  name: string;
  region: string;
  accountId?: string;
  isDefault: boolean;
  state: string;
  since: string;
  problem?: ProblemText;
  slot?: {
    state: string;
    jobId?: string;
    slice?: number;
    taskId?: string;
    logGroupName?: string;
    since?: string;
  };
  queue?: { waiting: number; ready: number };
  busyShareLastHour?: number;
}

/** The explanation of a problem. */
export interface ProblemExplanationDocument {
  slug: string;
  status: number;
  title: string;
  explanation: string;
  remedy: string;
  isRetryable: boolean;
}
