import { type Static, Type } from '@sinclair/typebox';
import { Warning } from '#export-tasks/export-task.ts';
import { awsLimits, inWords } from '#problems/limits.ts';
import { ProblemBody, withBasePath } from '#problems/problem.ts';
import { DateTime } from '#time/date-time.ts';
import { Int64Answer } from '#validation/int64.ts';
import { Text } from '#validation/text.ts';
import { type JobState, jobStates } from './job-state.ts';
import { SliceBy } from './planning/calendar/slice-units.ts';
import { Verification } from './planning/verification-mode.ts';
import { QueuePosition } from './queue/queue-position.ts';
import { type SliceState, sliceStates } from './slice.ts';
import { VerifiedTotals } from './verification/verification-view.ts';

/** The id of the job in the examples of the OpenAPI document. */
export const exampleJobId = '5b0c8a4e-6f1d-4f52-9c3b-2f1f0a7d9e10';

/** A count, in answers. */
export const Count = (description: string) => Type.Integer({ minimum: 0, description });

/** Why a slice or an attempt failed: a problem without the members of a request. */
export type SliceProblem = Static<typeof SliceProblem>;
export const SliceProblem = Type.Object(
  {
    ...Type.Pick(ProblemBody, ['type', 'title']).properties,
    detail: Type.String({ description: 'Explanation of the problem for this slice.' }),
    ...Type.Pick(ProblemBody, [
      'isRetryable',
      'remedy',
      'awsErrorCode',
      'awsRequestId',
      'bucketPolicy',
    ]).properties,
  },
  {
    title: 'SliceProblem',
    description:
      'The reason why a slice or an attempt failed. A slice has the problem of its latest failure until it completes or the job is retried. A `verifying` slice also has one while AWS does not answer. Slices that failed together have the same problem, but only one of them has `bucketPolicy`. An attempt with the outcome `failed`, `refused` or `not-sent` has a problem. An attempt with `not-created` has a problem, unless the service stopped during the create call. An attempt with `cancelled` has a problem if the job did not cancel the task. An attempt without an outcome has a problem if the answer of AWS was lost.',
  },
);

/** The id of a job, in paths. */
const JobId = Text({
  minLength: 1,
  maxLength: 64,
  rule: 'the id of an export job, 1 to 64 characters',
  description: 'Id of the export job.',
  examples: [exampleJobId],
});
export const JobParams = Type.Object({ jobId: JobId }, { additionalProperties: false });

/** A state of a job, in queries and answers. */
export const JobStateName = Type.Unsafe<JobState>({
  title: 'ExportJobState',
  type: 'string',
  enum: jobStates,
  description:
    'State of the job, derived from its slices. `waiting`: all slices are in the queue, for their first attempt or for another one. `running`: a slice holds the slot or is being verified, or some slices have ended and the others wait. `cancelling`: a cancel was requested, and a slice still holds the slot or is being verified. `completed`: all slices are exported. They are verified, unless `verification` is `off` or the service role may not list the bucket. `failed`: all slices have ended, at least one failed, and none was cancelled. `cancelled`: all slices have ended, and at least one was cancelled.',
  'x-rule': `one of ${jobStates.join(', ')}`,
});

const TaskParameters = Type.Object(
  {
    taskName: Type.Optional(Type.String({ description: 'Name of the task.' })),
    logGroupName: Type.String({ description: 'Name of the log group.' }),
    logStreamNamePrefix: Type.Optional(
      Type.String({ description: 'Prefix of the names of the exported log streams.' }),
    ),
    from: Int64Answer({ description: 'Start of the time range, inclusive, as it was sent.' }),
    to: Int64Answer({ description: 'End of the time range, inclusive, as it was sent.' }),
    destination: Type.String({ description: 'Name of the destination S3 bucket.' }),
    destinationPrefix: Type.Optional(
      Type.String({
        description: 'Key prefix that was asked for. An empty or missing one is `exportedlogs`.',
      }),
    ),
  },
  {
    title: 'TaskParameters',
    description:
      'The parameters of CreateExportTask, exactly as an AWS client sent them. An AWS client is an AWS SDK or CLI whose endpoint is this service instead of AWS. This service stores each CreateExportTask call of an AWS client as a job. A job without this member comes from POST /export-jobs or from an archive. The export of such a call is not attempted again automatically, and never split. POST /export-jobs/{jobId}/retry is possible. AWS gets the parameters unchanged, with two exceptions. This service sends a name of its own instead of `taskName`, and appends the id of the job to `destinationPrefix`. `from` and `to` of the job are the same time range as RFC 3339 times. In the job, a time after the year 9999 becomes the end of that year. In the parameters and in the job, `to` can be before `from`, because AWS accepts that.',
  },
);

/** The values of a planned or accepted job. */
export const jobFacts = {
  taskParameters: Type.Optional(TaskParameters),
  target: Type.String({ description: 'Name of the target.' }),
  name: Type.Optional(
    Type.String({ description: 'Name of the job. Absent if its caller gave none.' }),
  ),
  caller: Type.String({
    description: 'Id of the caller whose job it is: `<issuer>#<subject>`, or `anonymous`.',
  }),
  priority: Type.Integer({
    description: 'Priority of the job, from -10 to 10. A higher number starts first.',
  }),
  from: DateTime('Start of the time range, inclusive.'),
  to: DateTime('End of the time range, exclusive.'),
  sliceBy: SliceBy,
  timeZone: Type.String({
    description:
      'IANA name of the time zone for `sliceBy` and for the times in `destinationPrefix`.',
  }),
  destination: Type.String({ description: 'Name of the destination S3 bucket.' }),
  destinationPrefix: Type.String({
    description: 'Template for the key prefix of the exported objects.',
  }),
  warnings: Type.Optional(
    Type.Array(Warning, {
      description:
        'Likely mistakes in the request, and verifications that prove less than `verification` says. Present if there are any. Two warnings are only in the answer to POST /export-jobs: log groups share a `destinationPrefix`, or a log group name makes an empty segment (`//`) in it.',
    }),
  ),
  logStreamNamePrefix: Type.Optional(
    Type.String({
      description: 'Only log streams whose name begins with this are exported. Absent if all are.',
    }),
  ),
  logGroupBytes: Type.Optional(
    Type.Integer({
      minimum: 0,
      format: 'int64',
      description:
        'Total size of the log groups in bytes at the time of the request. It includes data outside the time range. Present for jobs with `logGroupNamePrefix`.',
    }),
  ),
  verification: Verification,
  isUnsettled: Type.Boolean({
    description: `Whether log events can be missing in the export. True if \`allowUnsettled\` was set and \`to\` was less than ${inWords(awsLimits.settlingMs)} old at the time of the request. Log events that become exportable later are not in the export.`,
  }),
};

const sliceCounts = Object.fromEntries(
  sliceStates.map((state) => [state, Count(`Number of slices in the state \`${state}\`.`)]),
) as Record<SliceState, ReturnType<typeof Count>>;

/** Shows a stored problem. Its stored paths have no base path, because that may change. */
export function showProblem(json: string, basePath: string): SliceProblem {
  const problem: SliceProblem = JSON.parse(json);
  const remedy = withBasePath(problem.remedy, basePath);
  return { ...problem, type: basePath + problem.type, remedy };
}

const Link = (description: string) => Type.String({ format: 'uri-reference', description });

/** A job as callers see it. A member without a value is absent. */
export type ExportJob = Static<typeof ExportJob>;
export const ExportJob = Type.Object(
  {
    id: Type.String({ format: 'uuid', description: 'Id of the export job.' }),
    ...jobFacts,
    archiveId: Type.Optional(
      Type.String({
        format: 'uuid',
        description: 'Id of the archive that the job is for. Absent if it is for none.',
      }),
    ),
    revision: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          'Number of the export of its partition: 1, 2, 3, … Failed exports count, too. It is the value of `{revision}`. Present with `archiveId`.',
      }),
    ),
    state: JobStateName,
    sliceCounts: Type.Object(sliceCounts, {
      title: 'SliceCounts',
      description: 'Number of slices in each state. `SliceState` explains the states.',
    }),
    acceptedAt: DateTime('When the job was accepted.'),
    notBeforeAt: Type.Optional(
      DateTime('The earliest `notBeforeAt` of the waiting slices. Absent if none of them has one.'),
    ),
    startedAt: Type.Optional(
      DateTime(
        'Start of the first attempt that has created an export task or is in progress. Absent if there is none. If the first attempt creates no task, `startedAt` disappears until the next attempt starts. A retry does not change it.',
      ),
    ),
    cancelRequestedAt: Type.Optional(
      DateTime('When a cancel of the job was requested. Absent if none was.'),
    ),
    endedAt: Type.Optional(
      DateTime('When the last slice ended. Absent before that, and again after a retry.'),
    ),
    queue: Type.Optional(QueuePosition),
    verified: Type.Optional(VerifiedTotals),
    failures: Type.Array(
      Type.Object(
        {
          slices: Count('Number of failed slices with this type of problem.'),
          problem: SliceProblem,
        },
        {
          title: 'ExportJobFailure',
          description:
            'Failed slices with one type of problem. `problem` is the problem of one of these slices, as an example.',
        },
      ),
      {
        description:
          'The problems of failed slices by type, most frequent first, at most five. Empty if no slice has the state `failed`.',
      },
    ),
    links: Type.Object(
      {
        self: Link('URL path of the job.'),
        slices: Link('URL path of its slices.'),
        objects: Link('URL path of its objects in S3.'),
        events: Link('URL path of its event stream.'),
        cancel: Link('URL path to cancel the job.'),
        retry: Type.Optional(
          Link(
            'URL path to retry its failed slices. Absent for a job of an archive, and after a cancel was requested.',
          ),
        ),
      },
      { title: 'ExportJobLinks', description: 'URL paths of the operations on this job.' },
    ),
  },
  {
    title: 'ExportJob',
    description: 'An export job: one or more log groups over a time range.',
  },
);
