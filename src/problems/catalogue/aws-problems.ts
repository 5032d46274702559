import { awsLimits, inWords, statedLimits } from '../limits.ts';
import {
  backInQueue,
  forPartitions,
  onlyInSlices,
  type ProblemKind,
  retryTheJob,
  sentAgain,
} from './problem-kind.ts';

/** What AWS refuses, or leaves without an answer. */
export const awsProblems = {
  'invalid-parameter': {
    status: 400,
    title: 'Parameter rejected by AWS',
    explanation:
      'AWS answered with an error such as InvalidParameterException or ValidationException. A value is well-formed but not acceptable, such as an expired nextToken.',
    remedy:
      'Read `detail`, correct the value and send the request again. If a slice failed, create a new job with the correct value.',
    isRetryable: false,
  },
  'destination-not-found': {
    status: 400,
    title: 'Destination bucket not found',
    explanation:
      'AWS found no S3 bucket with the name in `destination` of the task or job. The value must be a bucket name, not an ARN or URL. The bucket must be in the Region of the log group. If GET /export-jobs/{jobId}/objects has this problem, the bucket was deleted after the export: there are no objects to list.',
    remedy: `Create the bucket in the Region of the target, or correct \`destination\`. If a slice failed, create the bucket and retry the job with POST /export-jobs/{jobId}/retry. Or create a new job with the correct \`destination\`. ${forPartitions}`,
    isRetryable: false,
  },
  'service-role-not-permitted': {
    status: 403,
    title: 'Service role not permitted by AWS',
    explanation:
      'The service role is the IAM role with which this service calls AWS. AWS does not allow the service role to make this call. A caller of this service cannot fix that.',
    remedy: `Ask the operator of the service to allow these actions for the service role: logs:CreateExportTask, logs:DescribeExportTasks, logs:CancelExportTask and logs:DescribeLogGroups. To list the objects of a job, the service role needs s3:ListBucket. If a bucket policy denies that, ask the owner of the bucket. Then send the request again. ${retryTheJob}`,
    isRetryable: false,
  },
  'log-group-not-found': {
    status: 404,
    title: 'Log group not found',
    explanation:
      'The AWS account and Region of the target have no log group with this name. The name comes from the `logGroupName` of an export task, or from the log groups of a job. POST /export-jobs does not check whether the log groups exist: a slice fails if its log group is missing.',
    remedy: `Check the name, which is case-sensitive, and the parameter \`target\`. If a slice failed, create the log group and retry the job with POST /export-jobs/{jobId}/retry. Or create a new job with the correct name. ${forPartitions}`,
    isRetryable: false,
  },
  'export-task-not-found': {
    status: 404,
    title: 'Export task not found',
    explanation:
      'The AWS account and Region of the target have no export task with this id. Or you are not allowed to see it. A cancel also gets this problem if no policy permits it. AWS removes finished tasks after some time.',
    remedy:
      'Check the id and the parameter `target`. GET /export-tasks lists the tasks that AWS still knows and that you may see.',
    isRetryable: false,
  },
  'export-task-already-finished': {
    status: 409,
    title: 'Export task already finished',
    explanation:
      'Only a task that is PENDING or RUNNING can be cancelled. `exportTask` is your task, with its final state.',
    remedy: 'Do nothing: a finished task needs no cancel.',
    isRetryable: false,
  },
  'resource-already-exists': {
    status: 409,
    title: 'Resource already exists in AWS',
    explanation: `CloudWatch Logs answered the CreateExportTask call of a slice with ResourceAlreadyExistsException. AWS does not document the cause. ${sentAgain} ${onlyInSlices}`,
    remedy: `Do nothing while the slice is waiting: it is sent again. If it failed, retry the job with POST /export-jobs/{jobId}/retry. ${forPartitions}`,
    isRetryable: true,
  },
  'operation-aborted': {
    status: 409,
    title: 'Conflicting operation in AWS',
    explanation: `CloudWatch Logs answered OperationAbortedException: another operation on the same resource was in progress. The only request that is answered with this problem is POST /export-tasks/{taskId}/cancel. The cancel may have had no effect. A slice can have this problem, too. ${sentAgain}`,
    remedy: `Send the cancel again after some seconds: it is safe to repeat. ${retryTheJob}`,
    isRetryable: true,
  },
  'destination-not-writable': {
    status: 422,
    title: 'Destination bucket not writable',
    explanation:
      'CloudWatch Logs writes the export to the bucket. The bucket policy must allow CloudWatch Logs to use s3:GetBucketAcl and s3:PutObject. The service role is the IAM role with which this service calls AWS. AWS also requires that the service role may use s3:PutObject. If the bucket uses SSE-KMS, CloudWatch Logs and the service role also need permission to use the key. Exports do not support DSSE-KMS. `bucketPolicy` is present if a change of the bucket policy can help. It is the whole new policy, or only the statements to add: `remedy` of the answer says which.',
    remedy: `Check the bucket policy, the s3:PutObject permission of the service role and the default encryption of the bucket. If the bucket uses SSE-KMS, check its key and the key policy. POST /preflights shows all of that, except permissions of the service role. Then send the request again. ${retryTheJob}`,
    isRetryable: false,
  },
  'export-slot-taken': {
    status: 429,
    title: 'Export slot taken by another task',
    explanation: `AWS runs one export task at a time per account and Region. Another task is active, and this request created nothing. \`slotHolder\` describes that task, if you may see it. ${backInQueue}`,
    remedy:
      'Wait until the task in `slotHolder` has finished, then send the request again. Without `slotHolder`, wait as many seconds as `Retry-After` says. If export jobs are enabled, you can create one with POST /export-jobs instead: a job waits for the slot.',
    isRetryable: true,
    retryAfterSeconds: 15,
  },
  'aws-throttled': {
    status: 429,
    title: 'Call throttled by AWS',
    explanation: `AWS refused the call, because a rate limit was exceeded. CloudWatch Logs accepts ${awsLimits.callsPerSecond} calls per second for each export operation in an account and Region. All users of the account share this quota. The call had no effect. ${backInQueue} The problem aws-call-budget-exhausted is about the limit of this service itself.`,
    remedy: 'Wait as many seconds as `Retry-After` says, then send the request again.',
    isRetryable: true,
    retryAfterSeconds: 2,
  },
  'aws-call-budget-exhausted': {
    status: 429,
    title: 'AWS call budget exhausted',
    explanation:
      'This service limits its own calls to AWS: the setting AWS_CALLS_PER_SECOND is the limit for each target. So the service stays below the rate limit of AWS. The calls that carry out export jobs come first, then creates and cancels of export tasks, then reads. Callers share the budget fairly. This request would have waited too long. AWS was not called, and nothing was created or cancelled.',
    remedy: `Wait as many seconds as \`Retry-After\` says, then send the request again. Poll tasks less often. Reads of the newest ${statedLimits.newestTasks} tasks share calls to AWS. Each read of an older task is a call of its own. Or use an export job: reading its state needs no call to AWS.`,
    isRetryable: true,
    retryAfterSeconds: 2,
  },
  'service-role-unusable': {
    status: 502,
    title: 'Unusable service role credentials',
    explanation: `The service role is the IAM role with which this service calls AWS. Its credentials are missing, expired or wrong, or the clock of the service is wrong. The call was not sent, or AWS refused it. It had no effect. ${backInQueue}`,
    remedy:
      'Send the request again after some seconds: expired credentials are renewed. If it fails again, ask the operator of the service. The log of the service has the cause.',
    isRetryable: true,
  },
  'aws-unexpected': {
    status: 502,
    title: 'Unexpected answer from AWS',
    explanation: `AWS gave an answer that this service does not know for this operation. The log of the service has the whole answer. If POST /export-tasks returns this problem, CreateExportTask was not sent. Then another call of this service to AWS had the unexpected answer. If CreateExportTask itself has such an answer, the service looks for the task. If it does not find the task, it returns outcome-unknown. A slice can have this problem, too. ${sentAgain} For a request, \`isRetryable\` is false. For a slice it is true: a retry of the job is safe.`,
    remedy: `Report the error to the operator of the service, with the value of \`instance\`. For a slice, report the id of the job. ${retryTheJob}`,
    isRetryable: false,
  },
  'aws-unavailable': {
    status: 503,
    title: 'AWS unavailable',
    explanation: `This service could not reach AWS, the connection was lost, or AWS answered with a server error. The request is safe to repeat. POST /export-jobs with this problem has created no job. POST /export-tasks returns this problem only if CreateExportTask was not sent. If it was sent, the service looks for the task, and returns outcome-unknown if it does not find it. A slice can have this problem, too. If its call did not reach AWS, the slice goes back into the queue until AWS can be reached. ${sentAgain}`,
    remedy: `Wait as many seconds as \`Retry-After\` says, then send the request again. ${retryTheJob}`,
    isRetryable: true,
    retryAfterSeconds: 5,
  },
  'aws-timeout': {
    status: 504,
    title: 'AWS timeout',
    explanation: `AWS did not answer within the time limit of this service. The request is safe to repeat. POST /export-jobs with this problem has created no job. POST /export-tasks never returns this problem. It returns outcome-unknown or aws-unavailable instead. A slice can have this problem, too. ${sentAgain}`,
    remedy: `Send the request again. ${retryTheJob}`,
    isRetryable: true,
  },
  'outcome-unknown': {
    status: 504,
    title: 'Unknown outcome of CreateExportTask',
    explanation:
      'CreateExportTask was sent, but its answer was lost or does not show whether AWS created the task. This service did not find the task in the list of AWS, but it may still appear. CreateExportTask is not idempotent: a second request now could run the export twice. So `isRetryable` is false: a client must not repeat the request automatically.',
    remedy: `Read GET /export-tasks several times during ${inWords(statedLimits.lateEffectMs)}. GET /export-tasks shows only tasks that you may see. If you may not read export tasks, ask the operator of the service to look. If a task with your values appears, your request succeeded: do not send it again. If none appears, send it again. A unique \`taskName\` makes your task easy to recognize.`,
    isRetryable: false,
  },
} as const satisfies Record<string, ProblemKind>;
