import { type Static, type TSchema, Type } from '@sinclair/typebox';
import type { CreateExportTaskInput } from '#aws/export-task.ts';
import { Int64 } from '#validation/int64.ts';
import { Text } from '#validation/text.ts';
import { suggestBucket, suggestLogGroup } from './name-corrections.ts';

/** The limit of an S3 key, in bytes of UTF-8. The prefix is part of the key. */
export const s3KeyMaxBytes = 1_024;

const taskName = Text({
  minLength: 1,
  maxLength: 512,
  rule: 'text of 1 to 512 characters',
  description:
    'A name for the task. Default: none. Unique names make tasks easy to find. The task names of export jobs begin with `xp1-`, directly followed by the id of an installation of this service. Names that begin like those of this installation are rejected. Other names with `xp1-` are accepted, but do not use them.',
});

/** The name of a log group. */
export const LogGroupName = Text({
  minLength: 1,
  maxLength: 512,
  pattern: String.raw`^[\.\-_/#A-Za-z0-9]+$`,
  rule: '1 to 512 of the characters A-Z a-z 0-9 . - _ / #',
  suggest: suggestLogGroup,
  description: 'Name of the log group to export.',
});

/** A prefix of log stream names. */
export const LogStreamNamePrefix = Text({
  minLength: 1,
  maxLength: 512,
  pattern: String.raw`^[^:*\p{Cc}\p{Cs}]*$`,
  rule: '1 to 512 characters, without : and *',
  description:
    'Export only log streams whose name begins with this. Default: all log streams. AWS does not return this value, so no answer has it.',
});

/** The bucket to export to. */
export const Destination = Text({
  minLength: 1,
  maxLength: 512,
  pattern: String.raw`^[^:/\s\p{Cf}\p{Cc}\p{Cs}]*$`, // no bucket name has one of them
  rule: 'the name of an S3 bucket, 1 to 512 characters, without :, / and white space',
  suggest: suggestBucket,
  description: 'Name of the S3 bucket, which must be in the Region of the log group.',
});

const destinationPrefix = Text({
  maxLength: s3KeyMaxBytes, // the document cannot express the limit in bytes
  'x-maxUtf8Bytes': s3KeyMaxBytes,
  rule: `text of at most ${s3KeyMaxBytes} bytes in UTF-8, the limit of an S3 key`,
  description:
    'Key prefix of the exported objects. Default: `exportedlogs`. An empty value has the same effect. AWS appends `/<taskId>/<log stream>/` and the file names `000000.gz`, `000001.gz` and so on.',
});

/** The body of POST /export-tasks: the parameters of CreateExportTask. */
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
      description:
        'End of the time range, inclusive, in milliseconds since 1970-01-01T00:00:00Z. A value in the future is accepted. If `to` is before `from`, the export is empty, and the answer has a warning.',
    }),
    destination: Destination,
    destinationPrefix: Type.Optional(destinationPrefix),
  } satisfies Record<keyof CreateExportTaskInput, TSchema>,
  {
    title: 'CreateExportTask',
    description: 'A request for an export task: the input of CreateExportTask.',
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
