import { type Static, Type } from '@sinclair/typebox';
import { Warning } from '#export-tasks/export-task.ts';
import { ProblemBody, withBasePath } from '#problems/problem.ts';
import { DateTime } from '#time/date-time.ts';
import { Text } from '#validation/text.ts';
import { SliceBy } from './planning/create-export-job.ts';
import { type JobState, jobStates, type SliceState, sliceStates } from './slice.ts';

/** The id of the document's examples. */
export const exampleJobId = '5b0c8a4e-6f1d-4f52-9c3b-2f1f0a7d9e10';

/** A number of something. */
export const Count = (description?: string) =>
  Type.Integer({ minimum: 0, ...(description && { description }) });

/** Why a slice or an attempt failed: a problem without the request it would have happened in. */
export type SliceProblem = Static<typeof SliceProblem>;
export const SliceProblem = Type.Object(
  {
    ...Type.Pick(ProblemBody, ['type', 'title', 'detail', 'isRetryable', 'remedy']).properties,
    ...Type.Pick(ProblemBody, ['awsErrorCode', 'awsRequestId', 'bucketPolicy']).properties,
  },
  { title: 'SliceProblem', description: 'Why a slice or one of its attempts failed.' },
);

/** The id of a job in a path. */
const JobId = Text({
  minLength: 1,
  maxLength: 64,
  rule: 'the id of an export job, 1 to 64 characters',
  description: 'The id of an export job.',
  examples: [exampleJobId],
});
export const JobParams = Type.Object({ jobId: JobId }, { additionalProperties: false });

/** A state of a job, in a query and in an answer. */
export const JobStateName = Type.Unsafe<JobState>({
  title: 'ExportJobState',
  type: 'string',
  enum: jobStates,
  description:
    'What the slices of the job amount to: `waiting` none has begun; `running`; `cancelling` a cancel waits for what runs; `completed` all are exported; `failed` some could not be; `cancelled`.',
  'x-rule': `one of ${jobStates.join(', ')}`,
});

/** What a job is, whether it is planned or accepted. */
export const jobFacts = {
  target: Type.String({ description: 'The name of the target it exports at.' }),
  name: Type.Optional(Type.String({ description: 'The name its caller gave it.' })),
  caller: Type.String({ description: 'Who asked for it.' }),
  priority: Type.Integer({ description: 'Jobs of a higher priority go first.' }),
  from: DateTime('Start of the window, inclusive.'),
  to: DateTime('End of the window, exclusive.'),
  sliceBy: SliceBy,
  timeZone: Type.String({
    description: 'IANA name of the time zone of sliceBy and of the times in destinationPrefix.',
  }),
  destination: Type.String({ description: 'The S3 bucket it writes to.' }),
  destinationPrefix: Type.String({
    description: 'The template of what the keys of its objects begin with.',
  }),
  warnings: Type.Optional(
    Type.Array(Warning, { description: 'Present when something in it can hardly be meant.' }),
  ),
  logStreamNamePrefix: Type.Optional(
    Type.String({ description: 'It exports only log streams whose name begins with this.' }),
  ),
  logGroupBytes: Type.Optional(
    Type.Integer({
      minimum: 0,
      format: 'int64',
      description:
        'What the log groups held in all when the job was accepted, in bytes, whatever the window. Known with logGroupNamePrefix.',
    }),
  ),
  isUnsettled: Type.Boolean({
    description:
      'Whether it takes log events younger than the 12 hours CloudWatch Logs may need for them (allowUnsettled): what arrives later is not in the export.',
  }),
};

const QueuePosition = Type.Object(
  {
    position: Type.Integer({
      minimum: 1,
      description: '1 when its next waiting slice is the next to start at the target.',
    }),
    estimatedStartAt: Type.Optional(DateTime('When its next waiting slice is likely to start.')),
    estimatedEndAt: Type.Optional(DateTime('When its last waiting slice is likely to have ended.')),
  },
  {
    title: 'QueuePosition',
    description:
      'Where its waiting slices stand in the queue. Shown with one job, not in lists. Estimates go by how long exports took lately, and are absent while there were none.',
  },
);

const sliceCounts = Object.fromEntries(sliceStates.map((state) => [state, Count()])) as Record<
  SliceState,
  ReturnType<typeof Count>
>;

/** Shows why something failed, as it was kept: its paths without the base path of then or now. */
export function showProblem(json: string, basePath: string): SliceProblem {
  const problem: SliceProblem = JSON.parse(json);
  const remedy = withBasePath(problem.remedy, basePath);
  return { ...problem, type: basePath + problem.type, remedy };
}

/** A job as it is shown. A member that has no value yet is absent. */
export type ExportJob = Static<typeof ExportJob>;
export const ExportJob = Type.Object(
  {
    id: Type.String({ format: 'uuid', description: 'The id of the job.' }),
    ...jobFacts,
    state: JobStateName,
    sliceCounts: Type.Object(sliceCounts, {
      title: 'SliceCounts',
      description: 'How many of its slices are in which state.',
    }),
    acceptedAt: DateTime('When it was accepted.'),
    notBeforeAt: Type.Optional(
      DateTime('When the first of the slices that wait for their log events to settle may start.'),
    ),
    startedAt: Type.Optional(DateTime('When its first export task was sent.')),
    cancelRequestedAt: Type.Optional(DateTime('When its cancel was asked for.')),
    endedAt: Type.Optional(DateTime('When its last slice ended.')),
    queue: Type.Optional(QueuePosition),
    failures: Type.Array(
      Type.Object(
        {
          slices: Count('How many slices failed in this way.'),
          problem: { ...SliceProblem, description: 'What happened to one of them.' },
        },
        { title: 'ExportJobFailure' },
      ),
      { description: 'What its failed slices failed of: the five most frequent kinds.' },
    ),
    links: Type.Object(
      {
        self: Type.String({ format: 'uri-reference' }),
        slices: Type.String({ format: 'uri-reference' }),
        events: Type.String({ format: 'uri-reference' }),
        cancel: Type.String({ format: 'uri-reference' }),
        retry: Type.String({ format: 'uri-reference' }),
      },
      { title: 'ExportJobLinks', description: 'Where to go from here.' },
    ),
  },
  {
    title: 'ExportJob',
    description: 'A durable wish: log groups over a window, seen through to the end.',
  },
);

/** A finished job, for examples. */
export const exampleJob = {
  id: exampleJobId,
  target: 'default',
  name: 'checkout, May',
  caller: 'anonymous',
  priority: 0,
  from: '2024-05-01T00:00:00.000Z',
  to: '2024-05-03T00:00:00.000Z',
  sliceBy: 'day' as const,
  timeZone: 'UTC',
  destination: 'demo-log-archive',
  destinationPrefix: 'checkout/{yyyy}-{MM}-{dd}/{jobId}/{attempt}',
  isUnsettled: false,
  state: 'completed' as const,
  sliceCounts: {
    waiting: 0,
    starting: 0,
    running: 0,
    cancelling: 0,
    completed: 2,
    failed: 0,
    cancelled: 0,
  },
  acceptedAt: '2024-05-04T08:00:00.000Z',
  startedAt: '2024-05-04T08:00:00.100Z',
  endedAt: '2024-05-04T08:04:10.000Z',
  failures: [],
  links: {
    self: `/export-jobs/${exampleJobId}`,
    slices: `/export-jobs/${exampleJobId}/slices`,
    events: `/export-jobs/${exampleJobId}/events`,
    cancel: `/export-jobs/${exampleJobId}/cancel`,
    retry: `/export-jobs/${exampleJobId}/retry`,
  },
} satisfies ExportJob;

/** The same job when it was accepted. */
export const exampleAccepted = {
  ...exampleJob,
  state: 'waiting' as const,
  sliceCounts: { ...exampleJob.sliceCounts, waiting: 2, completed: 0 },
  startedAt: undefined,
  endedAt: undefined,
  queue: { position: 1 },
};
