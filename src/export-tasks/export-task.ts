import { type Static, Type } from '@sinclair/typebox';

import { type ExportTaskStatusCode, exportTaskStatusCodes } from '#aws/export-task.ts';
import { Int64, Int64Answer } from '#validation/int64.ts';
import { Text } from '#validation/text.ts';
import { suggestBucket, suggestLogGroup } from './suggestions.ts';

/** An S3 key has at most this many bytes of UTF-8, and the prefix is its beginning. */
export const s3KeyMaxBytes = 1_024;

/** The ids of the document's examples: a finished task, and one that can be cancelled. */
export const exampleTaskIds = {
  finished: '3f1c6a52-8c0f-4f0a-9d57-0d1a3f5d9a11',
  running: '8d4e2b90-1f53-4c7e-b1a6-5a0c9f3e7d22',
} as const;

const taskName = Text({
  minLength: 1,
  maxLength: 512,
  rule: 'text of 1 to 512 characters',
  description:
    'A name for the task. Unique names make a task easy to find again. Names like those of the export jobs of this gateway (`xp1-` and its id) are refused.',
});

/** The name of a log group. */
export const LogGroupName = Text({
  minLength: 1,
  maxLength: 512,
  pattern: String.raw`^[\.\-_/#A-Za-z0-9]+$`,
  rule: '1 to 512 characters out of A-Z a-z 0-9 . - _ / #',
  meant: suggestLogGroup,
  description: 'The log group to export.',
});

/** What the names of log streams begin with. */
export const LogStreamNamePrefix = Text({
  minLength: 1,
  maxLength: 512,
  pattern: String.raw`^[^:*\p{Cc}\p{Cs}]*$`,
  rule: '1 to 512 characters, none of them : or *',
  description:
    'Export only log streams whose name begins with this. AWS never shows it again: it is in no answer.',
});

/** The bucket to export to. */
export const Destination = Text({
  minLength: 1,
  maxLength: 512,
  pattern: String.raw`^[^:/\p{Cc}\p{Cs}]*$`, // a name with one of them can never be a bucket
  rule: 'the name of an S3 bucket, 1 to 512 characters, none of them : or /',
  meant: suggestBucket,
  description: 'The name of the S3 bucket, in the Region of the log group.',
});

const destinationPrefix = Text({
  maxLength: s3KeyMaxBytes, // what a document can say of the rule below
  'x-maxUtf8Bytes': s3KeyMaxBytes,
  rule: `text of at most ${s3KeyMaxBytes} bytes in UTF-8, the limit of an S3 key`,
  description:
    'What the keys of the exported objects begin with. Default, also when empty: `exportedlogs`. AWS appends `/<taskId>/<log stream>/000000.gz`.',
});

/** The body of POST /export-tasks: what CreateExportTask takes. */
export type CreateExportTask = Static<typeof CreateExportTask>;
export const CreateExportTask = Type.Object(
  {
    taskName: Type.Optional(taskName),
    logGroupName: LogGroupName,
    logStreamNamePrefix: Type.Optional(LogStreamNamePrefix),
    from: Int64({
      description:
        'Start of the time range, inclusive, in milliseconds since 1970-01-01T00:00:00Z.',
    }),
    to: Int64({
      description: 'End of the time range, inclusive, in milliseconds since 1970-01-01T00:00:00Z.',
    }),
    destination: Destination,
    destinationPrefix: Type.Optional(destinationPrefix),
  },
  {
    title: 'CreateExportTask',
    additionalProperties: false,
    'x-rule': 'a JSON object with logGroupName, from, to and destination',
    examples: [
      {
        taskName: 'checkout-2024-05-01',
        logGroupName: '/demo/checkout',
        from: 1714521600000,
        to: 1714607999999,
        destination: 'demo-log-archive',
        destinationPrefix: 'checkout/2024-05-01',
      },
    ],
  },
);

/** Something about an accepted task that its caller will hardly have meant. */
export type Warning = Static<typeof Warning>;
export const Warning = Type.Object(
  {
    pointer: Type.String({ description: 'JSON pointer to the member, as a URI fragment.' }),
    detail: Type.String({ description: 'What can hardly be meant, and why.' }),
  },
  { title: 'Warning', description: 'Something AWS accepted that can hardly be meant.' },
);

/** The answer to POST /export-tasks. */
export const CreatedExportTask = Type.Object(
  {
    taskId: Type.String({ description: 'The id AWS gave the task.' }),
    warnings: Type.Optional(
      Type.Array(Warning, {
        description: 'Present when AWS accepted something that can hardly be meant.',
      }),
    ),
  },
  {
    title: 'CreatedExportTask',
    description: 'The task is created.',
    examples: [{ taskId: exampleTaskIds.finished }],
  },
);

/** A state of an export task, to ask for. */
export const StatusCode = Type.Unsafe<ExportTaskStatusCode>({
  title: 'ExportTaskStatusCode',
  type: 'string',
  enum: exportTaskStatusCodes,
  description: 'A state of an export task. PENDING and RUNNING hold the slot.',
  'x-rule': `one of ${exportTaskStatusCodes.join(', ')}`,
});

// No enum: a client generated today must not break on a state that AWS adds tomorrow.
const ShownStatusCode = Type.Unsafe<ExportTaskStatusCode>({
  type: 'string',
  description: `Its state: ${exportTaskStatusCodes.join(', ')}, or one that AWS has added since. PENDING and RUNNING hold the slot.`,
});

// Without the format a generated client has 32 bits for it.
const Milliseconds = Type.Integer({ format: 'int64', description: 'Milliseconds since 1970.' });

/** A finished task, for examples. */
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

/** An export task as DescribeExportTasks shows it. Each member is absent where AWS leaves it out. */
export type ExportTask = Static<typeof ExportTask>;
export const ExportTask = Type.Object(
  {
    taskId: Type.Optional(Type.String({ description: 'The id AWS gave the task.' })),
    taskName: Type.Optional(Type.String({ description: 'The name its creator gave it.' })),
    logGroupName: Type.Optional(Type.String({ description: 'The log group it exports.' })),
    from: Type.Optional(Int64Answer({ description: 'Milliseconds since 1970, inclusive.' })),
    to: Type.Optional(Int64Answer({ description: 'Milliseconds since 1970, inclusive.' })),
    destination: Type.Optional(Type.String({ description: 'The S3 bucket it writes to.' })),
    destinationPrefix: Type.Optional(
      Type.String({ description: 'What the keys of its objects begin with.' }),
    ),
    status: Type.Optional(
      Type.Object(
        {
          code: Type.Optional(ShownStatusCode),
          message: Type.Optional(Type.String({ description: 'What AWS says of it.' })),
        },
        { title: 'ExportTaskStatus' },
      ),
    ),
    executionInfo: Type.Optional(
      Type.Object(
        { creationTime: Type.Optional(Milliseconds), completionTime: Type.Optional(Milliseconds) },
        { title: 'ExportTaskExecutionInfo' },
      ),
    ),
  },
  {
    title: 'ExportTask',
    description: 'An export task, in the words of AWS. A member AWS leaves out is absent.',
    examples: [exampleTask],
  },
);

/** The id of a task in a path. */
export const TaskId = Text({
  minLength: 1,
  maxLength: 512,
  rule: 'the id of an export task, 1 to 512 characters',
  description: 'The id AWS gave the task.',
  examples: [exampleTaskIds.finished],
});

/** The query parameter every operation on export tasks takes. */
export const TargetName = Text({
  minLength: 1,
  maxLength: 64,
  rule: 'the name of a target, 1 to 64 characters',
  description: 'Where to do it; the first configured target when left out. See GET /targets.',
});

/** The query of operations that have no parameters but the target. */
export const TargetQuery = Type.Object(
  { target: Type.Optional(TargetName) },
  { additionalProperties: false },
);
