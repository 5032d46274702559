import { awsLimits, inDigits, inWords, statedLimits } from '../limits.ts';
import { forPartitions, onlyInSlices, type ProblemKind, retryTheJob } from './problem-kind.ts';

/** What is refused about export jobs, and why their slices fail. */
export const jobProblems = {
  'export-job-not-found': {
    status: 404,
    title: 'Export job not found',
    explanation:
      'No export job with this id exists, or you are not allowed to see it. A cancel or retry also gets this problem if no policy permits it.',
    remedy:
      'Check the id. GET /export-jobs?caller=* lists the jobs that you may see, except jobs of archives. GET /export-jobs?archiveId={archiveId} lists the jobs of an archive.',
    isRetryable: false,
  },
  'export-job-deleted': {
    status: 410,
    title: 'Export job deleted',
    explanation: `The job was deleted after its end. The setting FINISHED_JOBS_DAYS of this service is the number of days that a job is kept after its end. The exported objects are still in the bucket. After the deletion, the id of the job is known for ${inWords(statedLimits.idAfterDeletionMs)}, and its \`Idempotency-Key\` for ${inWords(statedLimits.keyAfterDeletionMs)}. Only the caller of the job gets this answer. Other callers get export-job-not-found.`,
    remedy:
      'Look for the exported objects in the bucket. To export again, create a new job with a new `Idempotency-Key`.',
    isRetryable: false,
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'Idempotency-Key reused for a different request',
    explanation:
      'A key is for one request of one caller. The same key with the same body and `target` returns the same job, archive or webhook endpoint. Jobs, archives and webhook endpoints have separate keys: a key of a job can also be used for an archive. This key was used before with a different body or target. Omitting `target` is different from naming the default target.',
    remedy: 'Send the body and target that the key was first used with, or use a new key.',
    isRetryable: false,
  },
  'export-job-cancelled': {
    status: 409,
    title: 'Export job cancelled',
    explanation:
      'The retry was refused, because a cancel of this job was requested. A cancel is final.',
    remedy:
      'Create a new export job for the log groups and time ranges of the slices that are not completed. The list in GET /export-jobs/{jobId}/slices has the state of each slice.',
    isRetryable: false,
  },
  'export-job-of-archive': {
    status: 409,
    title: 'Retry of an export job of an archive',
    explanation:
      'The retry was refused, because this job exports a partition of an archive. The archive itself exports a failed partition again, a few times. Another job may have exported the partition since. Then a retry of this job would export it twice.',
    remedy:
      'Read the partition in GET /archives/{archiveId}/coverage: `retryAt` is the time when the archive exports it again. Request a backfill if there is no `retryAt`, or if you do not want to wait for it. Send POST /archives/{archiveId}/backfills with `from`, `to` and `"reprocess": "failed"`.',
    isRetryable: false,
  },
  'no-log-groups': {
    status: 422,
    title: 'No log group found',
    explanation:
      'For an export job, no log group of the target has a name that begins with `logGroupNamePrefix`. For an archive, no log group has any of the `logGroupNames`. An archive with `logGroupNamePrefix` never gets this problem: its log groups can be created later.',
    remedy: 'Check the names or the prefix, which are case-sensitive, and the parameter `target`.',
    isRetryable: false,
  },
  'too-many-slices': {
    status: 422,
    title: 'Too many slices in one job',
    explanation: `A job has one slice for each combination of a log group and an interval. The intervals are the parts into which \`sliceBy\` splits the time range. The limit of a job is ${inDigits(statedLimits.slicesPerJob)} slices. A dry run has the same limit.`,
    remedy:
      'Choose a larger `sliceBy`, a shorter time range or a longer `logGroupNamePrefix`, or create several jobs. A dry run with `sliceBy` `none` lists the log groups of a prefix.',
    isRetryable: false,
  },
  'too-many-waiting-slices': {
    status: 429,
    title: 'Limit of waiting slices reached',
    explanation:
      'The setting WAITING_SLICES_PER_CALLER of this service is the limit of waiting slices for each caller. The slices of all jobs of a caller count, so that one caller cannot fill the queue.',
    remedy:
      'Wait until some of your slices have finished, cancel jobs that you do not need, or choose a larger `sliceBy`.',
    isRetryable: true,
    retryAfterSeconds: 60,
  },
  'export-task-failed': {
    status: 502,
    title: 'Export task failed in AWS',
    explanation: `The export task of a slice ended as FAILED. This service sends the slice again after a pause. After the second failed task, it splits the slice into shorter ones. Before the split, it checks the bucket. It does not split a slice if AWS would refuse the bucket, or if the time range is too short. Such a slice fails after several attempts. \`detail\` has the reason, if AWS gave one. A frequent cause: CloudWatch Logs can no longer write to the bucket or use its KMS key. Another cause: the task exceeded AWS's limit of ${inWords(awsLimits.taskMs)}. That happens only if this service is not running when the task is ${statedLimits.splitAfterMs / 3_600_000} hours old: otherwise it cancels the task. ${onlyInSlices}`,
    remedy: `Do nothing if the slice is \`split\`: shorter slices are exported instead. Otherwise, check the bucket, its policy and its KMS key. ${retryTheJob}`,
    isRetryable: false,
  },
  'export-task-too-long': {
    status: 502,
    title: 'Export task cancelled before the time limit of AWS',
    explanation: `The export task of a slice was not complete after ${statedLimits.splitAfterMs / 3_600_000} hours. AWS ends each task after ${inWords(awsLimits.taskMs)}, and then its export is lost. So this service has cancelled the task and splits the slice. Shorter slices are exported instead. ${onlyInSlices}`,
    remedy:
      'Do nothing. For jobs over the same log group, choose a smaller `sliceBy`: then no time is lost.',
    isRetryable: false,
  },
  'export-task-differs': {
    status: 409,
    title: 'Export task name used by a different export',
    explanation: `The answer to the CreateExportTask call of a slice was lost. AWS lists a task with the name that was sent, but with another log group, time range, bucket or prefix. That task does not count as the export of the slice. Perhaps AWS has also created a task for the slice, but does not list it yet. So the slice fails and is not sent again: otherwise its log events could be in S3 twice. ${onlyInSlices}`,
    remedy: `Read the task that \`detail\` names with GET /export-tasks/{taskId}, and find out who started it. Then look in GET /export-tasks for a task with the log group and time range of the slice. The list has only tasks that you may see. If there is such a task and it completes, do not export the slice again: its logs are exported, although the slice stays \`failed\`. If there is no such task, retry the job with POST /export-jobs/{jobId}/retry. ${forPartitions} If the log events are then in S3 twice, the coverage of the archive counts only one of these exports.`,
    isRetryable: false,
  },
  'export-task-cancelled': {
    status: 409,
    title: 'Export task cancelled, but not its job',
    explanation: `The export task of a slice was cancelled, for example in the AWS console or with POST /export-tasks/{taskId}/cancel. No cancel of the job was requested, so the job can be retried. ${onlyInSlices}`,
    remedy: `Find out who cancelled the task. Then retry the job with POST /export-jobs/{jobId}/retry. ${forPartitions}`,
    isRetryable: false,
  },
  'export-task-vanished': {
    status: 502,
    title: 'Export task no longer listed by AWS',
    explanation: `The export task of a slice was created more than ${inWords(statedLimits.vanishedMs)} ago, and AWS no longer lists it. AWS ends tasks after ${inWords(awsLimits.taskMs)}, so the task no longer runs. Its result is unknown. ${onlyInSlices}`,
    remedy: `Look for its objects in the bucket. GET /export-jobs/{jobId}/slices has the \`destinationPrefix\` and the \`taskId\` of the last attempt. If all objects are there, do not export the slice again: its logs are exported, although it stays \`failed\`. If objects are missing, or if you are not sure, retry the job with POST /export-jobs/{jobId}/retry. ${forPartitions} If the log events are then in S3 twice, the coverage of the archive counts only one of these exports.`,
    isRetryable: false,
  },
  'export-incomplete': {
    status: 502,
    title: 'Exported objects missing or incomplete',
    explanation: `AWS completed the export task of a slice, but its objects in S3 are missing or incomplete. \`detail\` says what is missing. This service sends the slice again after a pause. The new attempt has another prefix if \`destinationPrefix\` of the job has \`{attempt}\`. After several attempts, the slice fails. A frequent cause: a lifecycle rule or another program has deleted objects. A partition of an archive also has this problem in another case. Its export has no objects, and nothing proves that its time range has no log events. ${onlyInSlices}`,
    remedy: `Check the lifecycle rules of the bucket and who may delete its objects. ${retryTheJob}`,
    isRetryable: false,
  },
  'too-many-watchers': {
    status: 429,
    title: 'Too many open event streams or waiting requests of one caller',
    explanation:
      'Each caller has a limit of open event streams: the setting WATCHERS_PER_CALLER. Requests with `wait` have the same limit. The two are counted separately, in each process of the service. These limits keep room for other callers.',
    remedy:
      'Close event streams that you do not read, or end requests with `wait` that you do not need. Then connect again after as many seconds as `Retry-After` says. Or poll GET /export-jobs/{jobId} or GET /archives/{archiveId} without `wait`. GET /export-jobs and GET /archives list many jobs or archives, each with its state.',
    isRetryable: true,
    retryAfterSeconds: 5,
  },
  'too-many-streams': {
    status: 503,
    title: 'Too many open event streams or waiting requests',
    explanation: `A process of this service has a limit of ${inDigits(statedLimits.streamsPerProcess)} open event streams of all callers. Requests with \`wait\` have a limit of the same size and are counted separately. These limits keep connections free for other requests.`,
    remedy:
      'Connect again after as many seconds as `Retry-After` says: another replica may answer. Or poll GET /export-jobs/{jobId} or GET /archives/{archiveId} without `wait`.',
    isRetryable: true,
    retryAfterSeconds: 5,
  },
  'database-unavailable': {
    status: 503,
    title: 'Database unavailable',
    explanation:
      'The database of the export jobs, archives and webhook endpoints does not answer now. Nothing that was accepted is lost. If POST /export-jobs, POST /archives or POST /webhook-endpoints has this problem, the job, archive or endpoint may have been stored. So `isRetryable` is false for such a request if it has no `Idempotency-Key`. It is always false for POST /webhook-endpoints/{endpointId}/rotate-secret. The request may have made a new secret that you do not know. Then the old secret, which your receiver has, is valid for one more day, or until the next rotation. These work without the database: all operations on export tasks, GET /targets, POST /preflights and POST /authorization-checks.',
    remedy:
      'Wait as many seconds as `Retry-After` says, then send the request again, unless `isRetryable` is false. A cancel and a retry are always safe to repeat. POST /export-jobs, POST /archives and POST /webhook-endpoints are safe to repeat with the same `Idempotency-Key`. If you sent no key, first look for the job, archive or endpoint. GET /export-jobs, GET /archives and GET /webhook-endpoints list them. After the rotation of a secret, read `previousSecretUntil` of the endpoint. If it is about a day after your request, the secret was rotated, and the new secret is lost. Then rotate again, and change the secret of your receiver at once: its old secret is no longer valid. If it is earlier or absent, the secret was not rotated. Then send the rotation again.',
    isRetryable: true,
    retryAfterSeconds: 2,
  },
} as const satisfies Record<string, ProblemKind>;
