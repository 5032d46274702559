import type { ProblemKind } from './problem-kind.ts';

/** What is said no to about export jobs, and what their slices fail of. */
export const jobProblems = {
  'export-job-not-found': {
    status: 404,
    title: 'There is no such export job',
    explanation: 'No export job of yours has this id.',
    remedy: 'Check the id; GET /export-jobs lists the jobs there are.',
    isRetryable: false,
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    explanation:
      'A key stands for one request: the same key with the same body gives the same job. This key came with another body before.',
    remedy: 'Send the body the key was first used with, or a new key.',
    isRetryable: false,
  },
  'export-job-cancelled': {
    status: 409,
    title: 'The export job was cancelled',
    explanation: 'The cancel of this job was asked for, and that is not taken back.',
    remedy:
      'Create a new export job for what is still missing; GET /export-jobs/{jobId}/slices shows it.',
    isRetryable: false,
  },
  'no-log-groups': {
    status: 422,
    title: 'No log group has this prefix',
    explanation:
      'CloudWatch Logs was asked which log groups begin with logGroupNamePrefix, and there are none.',
    remedy: 'Check the prefix and the target; log group names are case-sensitive.',
    isRetryable: false,
  },
  'too-many-slices': {
    status: 422,
    title: 'The job would have too many slices',
    explanation: 'A slice is one log group and one window. A job may have at most 10,000 slices.',
    remedy:
      'Choose a larger sliceBy, a shorter window or a longer logGroupNamePrefix, or create several jobs; a dry run lists the log groups of a prefix.',
    isRetryable: false,
  },
  'too-many-waiting-slices': {
    status: 429,
    title: 'You have as many slices waiting as you may',
    explanation:
      'Each caller may have so many slices in line, over all its jobs, so that the line stays of use to everybody.',
    remedy:
      'Wait until some of your slices are done, or cancel jobs you do not need; or slice coarser.',
    isRetryable: true,
    retryAfterSeconds: 60,
  },
  'export-task-failed': {
    status: 502,
    title: 'AWS ended the export task FAILED',
    explanation:
      'The export task of a slice ran and ended FAILED; AWS gives no reason. Common ones: the bucket or its key stopped being writable, or the task ran into the limit of 24 hours.',
    remedy:
      'Check the bucket, its policy and its key, slice smaller if it ran for a day, then POST /export-jobs/{jobId}/retry.',
    isRetryable: true,
  },
  'export-task-differs': {
    status: 409,
    title: 'Another export has the name of the export task',
    explanation:
      'The answer to the CreateExportTask of a slice was lost. AWS lists an export task under its name, but of another log group, time range, bucket or prefix. It is not counted as the export of the slice, and the slice is not sent again by itself, as that could export it twice.',
    remedy:
      'Look at the task that detail names with GET /export-tasks/{taskId}, and find out who started it; then POST /export-jobs/{jobId}/retry.',
    isRetryable: true,
  },
  'export-task-cancelled': {
    status: 409,
    title: 'The export task was cancelled at AWS',
    explanation:
      'Somebody cancelled the export task of a slice, in the console or with another tool; this job was not asked to cancel.',
    remedy: 'Find out who did; POST /export-jobs/{jobId}/retry exports the slice again.',
    isRetryable: true,
  },
  'export-task-vanished': {
    status: 502,
    title: 'AWS does not know the export task any more',
    explanation:
      'The export task of a slice was created, but for a day AWS has not listed it, so what became of it cannot be told.',
    remedy: 'Look into the bucket for its objects, or POST /export-jobs/{jobId}/retry.',
    isRetryable: true,
  },
  'too-many-watchers': {
    status: 429,
    title: 'Too many open event streams or waiting requests of this caller',
    explanation:
      'Each caller may have a number of event streams open at once (WATCHERS_PER_CALLER, 100 by default), and as many requests with `wait`, so that one caller cannot take all of them.',
    remedy:
      'Close streams you do not read. Then connect again after Retry-After; or read GET /export-jobs for the state of many jobs at once.',
    isRetryable: true,
    retryAfterSeconds: 5,
  },
  'too-many-streams': {
    status: 503,
    title: 'Too many open event streams or waiting requests',
    explanation:
      'A process of this service keeps at most 1,000 event streams open at once, and as many requests with `wait`, so that connections are left for everything else.',
    remedy:
      'Connect again after Retry-After, which may lead to another replica; or read GET /export-jobs/{jobId} without `wait` now and then.',
    isRetryable: true,
    retryAfterSeconds: 5,
  },
  'database-unavailable': {
    status: 503,
    title: 'The database of the export jobs is not available',
    explanation:
      'Export jobs are kept in a database, which does not answer now. Nothing accepted is lost; GET /export-tasks and POST /export-tasks work without it.',
    remedy:
      'Send the request again after Retry-After; with an Idempotency-Key that is safe for POST too.',
    isRetryable: true,
    retryAfterSeconds: 2,
  },
} as const satisfies Record<string, ProblemKind>;
