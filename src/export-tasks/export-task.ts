import { type Static, type TSchema, Type } from '@sinclair/typebox';

import {
  type AwsExportTask,
  type ExportTaskStatusCode,
  exportTaskStatusCodes,
} from '#aws/export-task.ts';
import { Int64Answer } from '#validation/int64.ts';
import { Text } from '#validation/text.ts';

/** The task ids in the examples of the API document: a finished task, and one that can be cancelled. */
export const exampleTaskIds = {
  finished: '3f1c6a52-8c0f-4f0a-9d57-0d1a3f5d9a11',
  running: '8d4e2b90-1f53-4c7e-b1a6-5a0c9f3e7d22',
} as const;

/** A value of an accepted request that is probably a mistake, or a proof that is weaker than requested. */
export type Warning = Static<typeof Warning>;
export const Warning = Type.Object(
  {
    pointer: Type.String({ description: 'JSON pointer to the member, as a URI fragment.' }),
    detail: Type.String({
      description: 'The likely mistake or the missing proof, and its effect.',
    }),
  },
  {
    title: 'Warning',
    description:
      'A likely mistake in an accepted request, or the reason why a verification can only prove less than requested.',
  },
);

/** The answer to POST /export-tasks. */
export const CreatedExportTask = Type.Object(
  {
    taskId: Type.String({ description: 'Id of the export task in AWS.' }),
    warnings: Type.Optional(
      Type.Array(Warning, {
        description: 'Likely mistakes in the request. Present if there are any.',
      }),
    ),
  },
  {
    title: 'CreatedExportTask',
    description: 'The created task.',
    examples: [{ taskId: exampleTaskIds.finished }],
  },
);

// As in `isActive`.
const activeStates =
  'In PENDING, AWS has not started the task yet. In PENDING_CANCEL, AWS has received a cancel and has not finished it. A task holds the slot in PENDING, RUNNING and PENDING_CANCEL.';

/** A status code, as a filter. */
export const StatusCode = Type.Unsafe<ExportTaskStatusCode>({
  title: 'ExportTaskStatusCode',
  type: 'string',
  enum: exportTaskStatusCodes,
  description: `State of an export task. ${activeStates}`,
  'x-rule': `one of ${exportTaskStatusCodes.join(', ')}`,
});

// Not an enum: a generated client must not fail on a status code that AWS adds later.
const ShownStatusCode = Type.Unsafe<ExportTaskStatusCode>({
  type: 'string',
  description: `State of the task: ${exportTaskStatusCodes.join(', ')}, or a state that AWS adds later. ${activeStates}`,
});

// Without the format a generated client has 32 bits for it.
const Milliseconds = (what: string) =>
  Type.Integer({
    format: 'int64',
    description: `${what}, in milliseconds since 1970-01-01T00:00:00Z.`,
  });

/** A finished task for the examples of the API document. */
export const exampleTask = {
  taskId: exampleTaskIds.finished,
  taskName: 'checkout-2024-05-01',
  logGroupName: '/demo/checkout',
  from: 1714521600000,
  to: 1714607999999,
  destination: 'demo-log-archive',
  destinationPrefix: 'checkout/2024-05-01',
  status: { code: 'COMPLETED', message: 'Completed successfully' },
  executionInfo: { creationTime: 1714608000000, completionTime: 1714608001548 },
} as const;

/** An export task as DescribeExportTasks shows it. A member that AWS leaves out is absent. */
export type ExportTask = Static<typeof ExportTask>;
export const ExportTask = Type.Object(
  {
    taskId: Type.Optional(Type.String({ description: 'Id of the export task in AWS.' })),
    taskName: Type.Optional(
      Type.String({
        description:
          'Name of the task. Absent if the task has none. Also absent if the name contains the id of an export job that you may not see.',
      }),
    ),
    logGroupName: Type.Optional(Type.String({ description: 'Name of the log group.' })),
    from: Type.Optional(
      Int64Answer({
        description:
          'Start of the time range, inclusive, in milliseconds since 1970-01-01T00:00:00Z.',
      }),
    ),
    to: Type.Optional(
      Int64Answer({
        description:
          'End of the time range, inclusive, in milliseconds since 1970-01-01T00:00:00Z.',
      }),
    ),
    destination: Type.Optional(Type.String({ description: 'Name of the destination S3 bucket.' })),
    destinationPrefix: Type.Optional(
      Type.String({ description: 'Key prefix of the exported objects.' }),
    ),
    status: Type.Optional(
      Type.Object(
        {
          code: Type.Optional(ShownStatusCode),
          message: Type.Optional(Type.String({ description: 'Text from AWS about the state.' })),
        },
        { title: 'ExportTaskStatus', description: 'State of an export task.' },
      ),
    ),
    executionInfo: Type.Optional(
      Type.Object(
        {
          creationTime: Type.Optional(Milliseconds('Creation time')),
          completionTime: Type.Optional(Milliseconds('Completion time of a finished task')),
        },
        { title: 'ExportTaskExecutionInfo', description: 'Times of an export task.' },
      ),
    ),
  } satisfies Record<keyof AwsExportTask, TSchema>,
  {
    title: 'ExportTask',
    description:
      'An export task with the member names of AWS. Members that AWS does not return are absent.',
    examples: [exampleTask],
  },
);

/** The id of a task in a path. */
export const TaskId = Text({
  minLength: 1,
  maxLength: 512,
  rule: 'the id of an export task, 1 to 512 characters',
  description: 'Id of the export task in AWS.',
  examples: [exampleTaskIds.finished],
});

/** The query parameter of every operation on export tasks. */
export const TargetName = Text({
  minLength: 1,
  maxLength: 64,
  rule: 'the name of a target, 1 to 64 characters',
  description: 'Name of the target: see GET /targets. Default: the first configured target.',
});

/** The query of operations with no parameter but the target. */
export const TargetQuery = Type.Object(
  { target: Type.Optional(TargetName) },
  { additionalProperties: false },
);
