import { type Static, Type } from '@sinclair/typebox';
import type { Selectable } from 'kysely';
import type { AttemptRow, SliceRow } from '#database/tables.ts';
import { DateTime, toDateTime } from '#time/date-time.ts';
import { Count, exampleJob, SliceProblem, showProblem } from '../export-job.ts';
import { type SliceState, sliceStates } from '../slice.ts';

/** How an attempt can end. */
const attemptOutcomes = [
  'completed',
  'failed',
  'cancelled',
  'refused',
  'not-sent',
  'not-created',
] as const;
type AttemptOutcome = (typeof attemptOutcomes)[number];

/** A state of a slice, in a query and in an answer. */
export const SliceStateName = Type.Unsafe<SliceState>({
  title: 'SliceState',
  type: 'string',
  enum: sliceStates,
  description:
    '`waiting` in the queue; `starting`, `running` and `cancelling` hold the slot; the others are ends.',
  'x-rule': `one of ${sliceStates.join(', ')}`,
});

/** A try at exporting a slice: one CreateExportTask. */
type Attempt = Static<typeof Attempt>;
const Attempt = Type.Object(
  {
    attempt: Type.Integer({ minimum: 1, description: '1, 2, 3, … of its slice.' }),
    destinationPrefix: Type.String({
      description: 'What its keys begin with; AWS appends the id of the task.',
    }),
    taskId: Type.Optional(
      Type.String({ description: 'The export task, as GET /export-tasks/{taskId} shows it.' }),
    ),
    submittedAt: DateTime('When it was written down to be sent.'),
    taskCreatedAt: Type.Optional(DateTime('When AWS created the task.')),
    taskCompletedAt: Type.Optional(DateTime('When AWS had completed it.')),
    endedAt: Type.Optional(DateTime('When its outcome was known.')),
    outcome: Type.Optional(
      Type.Unsafe<AttemptOutcome>({
        title: 'AttemptOutcome',
        type: 'string',
        enum: attemptOutcomes,
        description:
          'How it ended: `refused` by AWS or by the policies of its time, `not-sent`, `not-created` when its answer was lost and AWS had no such task; absent while it is under way.',
      }),
    ),
    problem: Type.Optional(SliceProblem),
  },
  { title: 'SliceAttempt', description: 'A try at exporting a slice.' },
);

/** A slice as it is shown. */
export type Slice = Static<typeof Slice>;
export const Slice = Type.Object(
  {
    number: Count('0, 1, 2, … within the job.'),
    state: SliceStateName,
    logGroupName: Type.String({ description: 'The log group it exports.' }),
    from: DateTime('Start of its window, inclusive.'),
    to: DateTime('End of its window, exclusive.'),
    notBeforeAt: Type.Optional(
      DateTime('Until when it waits for its log events to be exportable.'),
    ),
    attempts: Type.Array(Attempt, { description: 'Oldest first.' }),
    problem: Type.Optional(SliceProblem),
  },
  { title: 'Slice', description: 'One log group × one window of a job.' },
);

/** A finished slice, for examples. */
export const exampleSlice = {
  number: 0,
  state: 'completed',
  logGroupName: '/demo/checkout',
  from: exampleJob.from,
  to: '2024-05-02T00:00:00.000Z',
  attempts: [
    {
      attempt: 1,
      destinationPrefix: `checkout/2024-05-01/${exampleJob.id}/1`,
      taskId: '3f1c6a52-8c0f-4f0a-9d57-0d1a3f5d9a11',
      submittedAt: exampleJob.startedAt,
      taskCreatedAt: exampleJob.startedAt,
      taskCompletedAt: '2024-05-04T08:02:01.000Z',
      endedAt: '2024-05-04T08:02:02.000Z',
      outcome: 'completed',
    },
  ],
} satisfies Slice;

/** Shows a slice with its attempts. */
export function showSlice(
  slice: Selectable<SliceRow>,
  attempts: readonly AttemptRow[],
  basePath: string,
): Slice {
  const { number, state, logGroupName, fromAt, toAt, notBeforeAt, problem } = slice;
  return {
    number,
    state: state as SliceState,
    logGroupName,
    from: toDateTime(fromAt),
    to: toDateTime(toAt),
    ...(notBeforeAt !== null && { notBeforeAt: toDateTime(notBeforeAt) }),
    attempts: attempts.map((row) => showAttempt(row, basePath)),
    ...(problem !== null && { problem: showProblem(problem, basePath) }),
  };
}

function showAttempt(row: AttemptRow, basePath: string): Attempt {
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
