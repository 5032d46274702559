import { type Static, Type } from '@sinclair/typebox';
import {
  Destination,
  LogGroupName,
  LogStreamNamePrefix,
  s3KeyMaxBytes,
} from '#export-tasks/export-task.ts';
import { suggestLogGroupPrefix } from '#export-tasks/suggestions.ts';
import { Instant } from '#validation/instant.ts';
import { Text } from '#validation/text.ts';
import { utc } from './calendar/wall-clock.ts';
import { defaultTemplate, templateDescription } from './destination-prefix.ts';

/** A body names at most this many log groups, half of its megabyte; by their prefix there may be more. */
const maxLogGroups = 1_000;

/** What a job's window is cut at: nothing, or the hours, days, ISO weeks or months of its time zone. */
export const sliceBys = ['none', 'hour', 'day', 'week', 'month'] as const;
export type SliceBy = (typeof sliceBys)[number];
export const SliceBy = Type.Unsafe<SliceBy>({
  title: 'SliceBy',
  type: 'string',
  enum: sliceBys,
  description:
    'How to split the window. Default: no split. Each log group and piece becomes one export task. Pieces are calendar units of timeZone; weeks begin on Monday.',
  'x-rule': `one of ${sliceBys.join(', ')}`,
});

/** The body of POST /export-jobs. A member left out is absent: its default is applied in planning. */
export type CreateExportJob = Static<typeof CreateExportJob>;
export const CreateExportJob = Type.Object(
  {
    name: Type.Optional(
      Text({
        minLength: 1,
        maxLength: 256,
        rule: 'text of 1 to 256 characters',
        description: 'A name for the job, for people. Need not be unique.',
      }),
    ),
    logGroupNames: Type.Optional(
      Type.Array(LogGroupName, {
        minItems: 1,
        maxItems: maxLogGroups,
        uniqueItems: true,
        'x-rule': `an array of 1 to ${maxLogGroups} names of log groups, each once`,
        description: 'The log groups to export. Either this or logGroupNamePrefix.',
      }),
    ),
    logGroupNamePrefix: Type.Optional({
      ...LogGroupName,
      'x-meant': suggestLogGroupPrefix,
      description:
        'Export every log group whose name begins with this, as they are when the job is accepted. Either this or logGroupNames.',
    }),
    logStreamNamePrefix: Type.Optional({
      ...LogStreamNamePrefix,
      description: 'Export only log streams whose name begins with this.',
    }),
    from: Instant({
      description:
        'Start of the window, inclusive: milliseconds since 1970-01-01T00:00:00Z, or RFC 3339 with an offset.',
    }),
    to: Instant({
      description:
        'End of the window, exclusive: what happens at this very millisecond is not exported. So the next window begins where this one ends. Must not lie ahead, unless allowUnsettled.',
    }),
    sliceBy: Type.Optional(SliceBy),
    timeZone: Type.Optional(
      Text({
        minLength: 1,
        maxLength: 64,
        rule: 'the IANA name of a time zone, such as Europe/Berlin',
        default: utc,
        description:
          'The IANA name of the time zone whose calendar sliceBy follows, and of the times in destinationPrefix. A day has 23 or 25 hours when its clocks change; an hour that is repeated is one piece of two hours, a day that is skipped is none.',
      }),
    ),
    destination: Destination,
    destinationPrefix: Type.Optional(
      Text({
        minLength: 1,
        maxLength: s3KeyMaxBytes, // what a document can say of the rule below
        'x-maxUtf8Bytes': s3KeyMaxBytes,
        rule: `text of 1 to ${s3KeyMaxBytes} bytes in UTF-8, the limit of an S3 key`,
        default: defaultTemplate,
        description: templateDescription,
      }),
    ),
    priority: Type.Optional(
      Type.Integer({
        minimum: -10,
        maximum: 10,
        default: 0,
        'x-rule': 'an integer from -10 to 10',
        description:
          'Jobs of a higher priority go first. Every tenth start at a target goes to the caller whose turn is the longest ago, whatever the priority, so that no job waits for ever.',
      }),
    ),
    allowUnsettled: Type.Optional(
      Type.Boolean({
        default: false,
        'x-rule': 'true or false',
        description:
          'Log events can take 12 hours to become exportable, and a slice waits for that. With true it does not wait, and `to` may lie up to 25 hours ahead; what arrives later is not exported.',
      }),
    ),
  },
  {
    title: 'CreateExportJob',
    additionalProperties: false,
    // Said in words: from `oneOf` code generators make a union of two types that have no members.
    description: 'Requires exactly one of `logGroupNames` and `logGroupNamePrefix`.',
    'x-exactlyOneOf': ['logGroupNames', 'logGroupNamePrefix'],
    'x-rule':
      'a JSON object with logGroupNames or logGroupNamePrefix (one of them), from, to and destination',
    examples: [
      {
        name: 'checkout, first of May',
        logGroupNames: ['/demo/checkout'],
        from: '2024-05-01T00:00:00Z',
        to: '2024-05-02T00:00:00Z',
        destination: 'demo-log-archive',
      },
      {
        logGroupNamePrefix: '/demo/',
        from: 1714521600000,
        to: 1714608000000,
        sliceBy: 'hour',
        destination: 'demo-log-archive',
        destinationPrefix: 'jobs/{logGroup}/{yyyy}-{MM}-{dd}/{HH}/{jobId}/{attempt}',
        priority: 5,
      },
    ],
  },
);
