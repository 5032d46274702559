import { type Static, Type } from '@sinclair/typebox';
import type { Selectable } from 'kysely';
import type { AttemptRow, SliceRow } from '#database/tables.ts';
import { DateTime, toDateTime } from '#time/date-time.ts';
import { Count, SliceProblem, showProblem } from '../export-job.ts';
import { type SliceState, sliceStates } from '../slice.ts';
import {
  SliceVerification,
  showVerification,
  type VerifiedRow,
} from '../verification/verification-view.ts';
import { exampleJob } from './example-jobs.ts';

/** The outcomes of an attempt. */
const attemptOutcomes = [
  'completed',
  'failed',
  'cancelled',
  'refused',
  'not-sent',
  'not-created',
] as const;
type AttemptOutcome = (typeof attemptOutcomes)[number];

/** A state of a slice, in queries and answers. */
export const SliceStateName = Type.Unsafe<SliceState>({
  title: 'SliceState',
  type: 'string',
  enum: sliceStates,
  description:
    'State of the slice. `waiting`: the slice is in the queue, for its first attempt or for another one. `starting`: the service has recorded an attempt and calls AWS. The outcome is not known yet. `running`: AWS has created its export task. `cancelling`: AWS has received the cancel of the task. `starting`, `running` and `cancelling` slices hold the slot. `verifying`: AWS has completed the export task, and the service looks for its objects in S3. The slot is free for other slices meanwhile. `completed`: AWS has completed the export task. The export is verified, unless `verification` of the job is `off` or the service role may not list the bucket. `cancelled`: the slice was cancelled with its job. `split`: the export task failed twice without a known cause, or ran for too long. Shorter slices of the same job are exported instead, and `parent` of each has the number of this slice. `completed`, `cancelled` and `split` are final. `failed`: the export failed, or its result is unknown. If somebody cancelled its task and not the job, for example in the AWS console, a slice is also `failed`. If a cause affects several slices of a job, the waiting ones fail together with the first. So `attempts` of a failed slice can be empty. No attempt follows until a retry of the job puts `failed` slices back into the queue.',
  'x-rule': `one of ${sliceStates.join(', ')}`,
});

/** An attempt at exporting a slice: one CreateExportTask. */
type Attempt = Static<typeof Attempt>;
const Attempt = Type.Object(
  {
    attempt: Type.Integer({
      minimum: 1,
      description:
        'Number of the attempt for its slice: 1, 2, 3, … There is one exception: a slice that was split and all slices that come from the split have one series of numbers. For example, a slice is split after its attempt 2. Then one of the new slices begins with attempt 3, and another one can begin with attempt 4.',
    }),
    destinationPrefix: Type.String({
      description: 'Key prefix of the exported objects. AWS appends the id of the task.',
    }),
    taskId: Type.Optional(
      Type.String({
        description:
          'Id of the export task in AWS. Absent until AWS has created it, or if none was created.',
      }),
    ),
    submittedAt: DateTime('When the attempt was recorded, just before the call to AWS.'),
    taskCreatedAt: Type.Optional(DateTime('When AWS created the export task. Absent if unknown.')),
    taskCompletedAt: Type.Optional(
      DateTime('When the export task ended in AWS. Absent if unknown.'),
    ),
    endedAt: Type.Optional(DateTime('When the outcome was recorded. Absent before that.')),
    outcome: Type.Optional(
      Type.Unsafe<AttemptOutcome>({
        title: 'AttemptOutcome',
        type: 'string',
        enum: attemptOutcomes,
        description:
          'Outcome of the attempt. Absent while the attempt is in progress. `completed`: the export task completed. If its export is incomplete, this changes to `failed`. `failed`: the export task failed, or its result is unknown. Or AWS lists a task of somebody else with the task name of this attempt. An incomplete export also has this outcome. `cancelled`: the export task was cancelled, by the job or by others. `refused`: AWS refused the create call, or the policies of this service no longer permit it. `not-sent`: the call did not reach AWS. `not-created`: the outcome of the call was unknown, and AWS lists no task of it. So the call counts as without effect. The state of the slice shows whether another attempt follows.',
      }),
    ),
    problem: Type.Optional(SliceProblem),
  },
  {
    title: 'SliceAttempt',
    description: 'An attempt to export a slice: at most one CreateExportTask call.',
  },
);

/** A slice as callers see it. */
export type Slice = Static<typeof Slice>;
export const Slice = Type.Object(
  {
    number: Count('Number of the slice in its job: 0, 1, 2, …'),
    state: SliceStateName,
    parent: Type.Optional(
      Count(
        'Number of the slice that this one was split from. Present if the slice comes from a split.',
      ),
    ),
    logGroupName: Type.String({ description: 'Name of the log group.' }),
    from: DateTime('Start of the time range of the slice, inclusive.'),
    to: DateTime('End of the time range of the slice, exclusive.'),
    notBeforeAt: Type.Optional(
      DateTime(
        'When the log events of the slice become exportable. The slice starts after that. Absent if it need not wait for them.',
      ),
    ),
    attempts: Type.Array(Attempt, { description: 'All attempts, oldest first.' }),
    verification: Type.Optional(SliceVerification),
    problem: Type.Optional(SliceProblem),
  },
  { title: 'Slice', description: 'A slice of a job: one log group over one interval.' },
);

/** The slices of the finished job, for examples. */
export const exampleSlices = [
  {
    number: 0,
    state: 'completed',
    logGroupName: '/demo/checkout',
    from: exampleJob.from,
    to: '2024-05-02T00:00:00.000Z',
    attempts: [
      {
        attempt: 1,
        destinationPrefix: `checkout/2024-05-01/${exampleJob.id}/1`,
        taskId: 'a2f6d913-07c4-4e8b-b5a1-6e1d84f0c327',
        submittedAt: exampleJob.startedAt,
        taskCreatedAt: exampleJob.startedAt,
        taskCompletedAt: '2024-05-04T08:02:01.000Z',
        endedAt: '2024-05-04T08:02:02.000Z',
        outcome: 'completed',
      },
    ],
    verification: {
      method: 'objects',
      endedAt: '2024-05-04T08:02:02.400Z',
      objects: 14,
      bytes: 81_264,
      streams: 14,
      isEmpty: false,
      manifest: {
        key: `checkout/2024-05-01/${exampleJob.id}/1/_manifest-a2f6d913-07c4-4e8b-b5a1-6e1d84f0c327.json`,
        sha256: '3d9c1f0b7e62a84c5f1d08b9e7a6c4f2d1b3059e8c7f6a4b2d0e1c3f5a798b64',
      },
    },
  },
  {
    number: 1,
    state: 'completed',
    logGroupName: '/demo/checkout',
    from: '2024-05-02T00:00:00.000Z',
    to: exampleJob.to,
    attempts: [
      {
        attempt: 1,
        destinationPrefix: `checkout/2024-05-02/${exampleJob.id}/1`,
        taskId: 'c7a41e08-52bd-4b19-8f6e-3d90b2a7f415',
        submittedAt: '2024-05-04T08:02:04.500Z',
        taskCreatedAt: '2024-05-04T08:02:05.000Z',
        taskCompletedAt: '2024-05-04T08:04:09.000Z',
        endedAt: exampleJob.endedAt,
        outcome: 'completed',
      },
    ],
  },
] satisfies Slice[];

/** Shows a slice with its attempts. */
export function showSlice(
  slice: Selectable<SliceRow>,
  {
    attempts,
    verification,
  }: { attempts: readonly Selectable<AttemptRow>[]; verification?: VerifiedRow | undefined },
  basePath: string,
): Slice {
  const { number, state, parent, logGroupName, fromAt, toAt, notBeforeAt, problem } = slice;
  return {
    number,
    state: state as SliceState,
    ...(parent !== null && { parent }),
    logGroupName,
    from: toDateTime(fromAt),
    to: toDateTime(toAt),
    ...(notBeforeAt !== null && { notBeforeAt: toDateTime(notBeforeAt) }),
    attempts: attempts.map((row) => showAttempt(row, basePath)),
    ...(verification && { verification: showVerification(verification) }),
    ...(problem !== null && { problem: showProblem(problem, basePath) }),
  };
}

function showAttempt(row: Selectable<AttemptRow>, basePath: string): Attempt {
  const { attempt, destinationPrefix, submittedAt, taskId, outcome, problem } = row;
  const { taskCreatedAt, taskCompletedAt, endedAt } = row;
  return {
    attempt,
    destinationPrefix,
    ...(taskId !== null && { taskId }),
    submittedAt: toDateTime(submittedAt),
    ...(taskCreatedAt !== null && { taskCreatedAt: toDateTime(taskCreatedAt) }),
    ...(taskCompletedAt !== null && { taskCompletedAt: toDateTime(taskCompletedAt) }),
    ...(endedAt !== null && { endedAt: toDateTime(endedAt) }),
    ...(outcome !== null && { outcome: outcome as AttemptOutcome }),
    ...(problem !== null && { problem: showProblem(problem, basePath) }),
  };
}
