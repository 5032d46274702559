import { type Static, Type } from '@sinclair/typebox';
import {
  Destination,
  LogGroupName,
  LogStreamNamePrefix,
  s3KeyMaxBytes,
} from '#export-tasks/create-export-task-body.ts';
import { suggestLogGroupPrefix } from '#export-tasks/name-corrections.ts';
import { awsLimits, inWords } from '#problems/limits.ts';
import { Instant } from '#validation/instant.ts';
import { Text } from '#validation/text.ts';
import { priorityIgnoredEvery } from '../queue/serving-order.ts';
import { SliceBy } from './calendar/slice-units.ts';
import { utc } from './calendar/wall-clock.ts';
import { defaultTemplateOf, templateDescription } from './prefix-template.ts';
import { Verification } from './verification-mode.ts';
import { longestDayMs } from './window.ts';

/**
 * The most names of log groups in a body. They fill half of the megabyte that a body may have. A
 * `logGroupNamePrefix` can match more.
 */
export const maxLogGroups = 1_000;

/** The body of POST /export-jobs. Planning applies the defaults of absent members. */
export type CreateExportJob = Static<typeof CreateExportJob>;
export const CreateExportJob = Type.Object(
  {
    name: Type.Optional(
      Text({
        minLength: 1,
        maxLength: 256,
        rule: 'text of 1 to 256 characters',
        description: 'A name for the job, for people. It need not be unique.',
      }),
    ),
    logGroupNames: Type.Optional(
      Type.Array(LogGroupName, {
        minItems: 1,
        maxItems: maxLogGroups,
        uniqueItems: true,
        'x-rule': `an array of 1 to ${maxLogGroups} names of log groups, each once`,
        description:
          'Names of the log groups to export. Required unless `logGroupNamePrefix` is present.',
      }),
    ),
    logGroupNamePrefix: Type.Optional({
      ...LogGroupName,
      'x-suggest': suggestLogGroupPrefix,
      description:
        'Export every log group whose name begins with this. The list of log groups is read once, before the job is accepted. Required unless `logGroupNames` is present.',
    }),
    logStreamNamePrefix: Type.Optional({
      ...LogStreamNamePrefix,
      description: 'Export only log streams whose name begins with this. Default: all log streams.',
    }),
    from: Instant({
      description:
        'Start of the time range, inclusive. Milliseconds since 1970-01-01T00:00:00Z, or RFC 3339 text with an offset.',
    }),
    to: Instant({
      description:
        'End of the time range, exclusive, in the same formats as `from`. To export without gaps or duplicates, use the value as `from` of the next job. It must not be in the future unless `allowUnsettled` is true.',
    }),
    sliceBy: Type.Optional(SliceBy),
    timeZone: Type.Optional(
      Text({
        minLength: 1,
        maxLength: 64,
        rule: 'the IANA name of a time zone, such as Europe/Berlin',
        default: utc,
        description:
          'IANA name of the time zone for `sliceBy` and for the times in `destinationPrefix`. Default: UTC. A day has 23 or 25 hours when the clocks change. When clocks go back, an hour occurs twice. The repeated hour has no intervals of its own: it makes the interval before it one hour longer. So this interval has 2 hours if `sliceBy` is `hour`, and 75 minutes if it is `15-minutes`. If a time zone skips a whole date, that date has no interval.',
      }),
    ),
    destination: Destination,
    destinationPrefix: Type.Optional(
      Text({
        minLength: 1,
        maxLength: s3KeyMaxBytes, // what a document can say of the rule below
        'x-maxUtf8Bytes': s3KeyMaxBytes,
        rule: `text of 1 to ${s3KeyMaxBytes} bytes in UTF-8, the limit of an S3 key`,
        default: defaultTemplateOf('none'),
        description: templateDescription,
      }),
    ),
    priority: Type.Optional(
      Type.Integer({
        minimum: -10,
        maximum: 10,
        default: 0,
        'x-rule': 'an integer from -10 to 10',
        description: `Priority of the job. A higher number starts first. Default: 0. If slices of several priorities are ready at a target, one start in ${priorityIgnoredEvery} ignores the priority. It goes to the queue that was served the longest ago. It counts for all queues of its caller, so more priorities bring no more of these starts.`,
      }),
    ),
    verification: Type.Optional({
      ...Verification,
      description: `${Verification.description} Default: the setting VERIFICATION of the service.`,
    }),
    allowUnsettled: Type.Optional(
      Type.Boolean({
        default: false,
        'x-rule': 'true or false',
        description: `Whether to export unsettled log events: those less than ${inWords(awsLimits.settlingMs)} old. Default: false. Log events can take ${inWords(awsLimits.settlingMs)} to become exportable in AWS. So a slice waits until ${inWords(awsLimits.settlingMs)} after the end of its time range. If true, a slice does not wait for that: it can start even before its time range ends. \`to\` may then be up to ${inWords(longestDayMs)} in the future. The export does not contain log events that become exportable later. Its verification accepts that they are missing.`,
      }),
    ),
  },
  {
    title: 'CreateExportJob',
    additionalProperties: false,
    // Said in words: from `oneOf` code generators make a union of two types that have no members.
    description:
      'A request for an export job. It requires exactly one of `logGroupNames` and `logGroupNamePrefix`.',
    'x-exactlyOneOf': ['logGroupNames', 'logGroupNamePrefix'],
    'x-rule':
      'a JSON object with logGroupNames or logGroupNamePrefix (one of them), from, to and destination',
    examples: [
      {
        name: 'checkout, May',
        logGroupNames: ['/demo/checkout'],
        from: '2024-05-01T00:00:00Z',
        to: '2024-05-03T00:00:00Z',
        sliceBy: 'day',
        destination: 'demo-log-archive',
        destinationPrefix: 'checkout/{yyyy}-{MM}-{dd}/{jobId}/{attempt}',
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
