import { type Static, Type } from '@sinclair/typebox';
import { defaultDestinationPrefix } from '#aws/destination-prefix.ts';
import { maxLogGroups } from '#export-jobs/planning/create-export-job-body.ts';
import { readWindow } from '#export-jobs/planning/window.ts';
import {
  Destination,
  LogGroupName,
  LogStreamNamePrefix,
  s3KeyMaxBytes,
} from '#export-tasks/create-export-task-body.ts';
import { suggestLogGroupPrefix } from '#export-tasks/name-corrections.ts';
import type { ExportWindow } from '#targets/preflight/checks/log-group-checks.ts';
import { Instant } from '#validation/instant.ts';
import { Text } from '#validation/text.ts';
import { invalidRequest } from '#validation/violations.ts';

/** The body of POST /preflights: an export that somebody plans. */
export type CreatePreflight = Static<typeof CreatePreflight>;
export const CreatePreflight = Type.Object(
  {
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
        'Check the export of every log group whose name begins with this. Required unless `logGroupNames` is present.',
    }),
    logStreamNamePrefix: Type.Optional({
      ...LogStreamNamePrefix,
      description: 'Export only log streams whose name begins with this. Default: all log streams.',
    }),
    from: Type.Optional(
      Instant({
        description:
          'Start of the time range, inclusive. Milliseconds since 1970-01-01T00:00:00Z, or RFC 3339 text with an offset. Required if `to` is present. Default: no time range. Then the checks `log-group-age`, `retention` and `events` are absent.',
      }),
    ),
    to: Type.Optional(
      Instant({
        description:
          'End of the time range, exclusive, in the same formats as `from`. Required if `from` is present.',
      }),
    ),
    destination: Destination,
    destinationPrefix: Type.Optional(
      Text({
        minLength: 1,
        maxLength: s3KeyMaxBytes, // the document cannot express the limit in bytes
        'x-maxUtf8Bytes': s3KeyMaxBytes,
        rule: `text of 1 to ${s3KeyMaxBytes} bytes in UTF-8, the limit of an S3 key`,
        default: defaultDestinationPrefix,
        description:
          'Key prefix of the exported objects, without placeholders. Default: `exportedlogs`. To check the template of a job, use POST /export-jobs with `dryRun=true`. It fills in the placeholders for its checks.',
      }),
    ),
  },
  {
    title: 'CreatePreflight',
    additionalProperties: false,
    description:
      'An export to check. It requires exactly one of `logGroupNames` and `logGroupNamePrefix`.',
    'x-exactlyOneOf': ['logGroupNames', 'logGroupNamePrefix'],
    'x-rule':
      'a JSON object with logGroupNames or logGroupNamePrefix (one of them), and destination',
    examples: [
      {
        logGroupNames: ['/demo/checkout'],
        from: '2024-05-01T00:00:00Z',
        to: '2024-05-03T00:00:00Z',
        destination: 'demo-log-archive',
        destinationPrefix: 'checkout',
      },
    ],
  },
);

/**
 * Reads the time range of a preflight, if it has one. `now` is epoch ms.
 * @throws Problem invalid-request
 */
export function readOptionalWindow(
  { from, to }: Pick<CreatePreflight, 'from' | 'to'>,
  now: number,
): ExportWindow | undefined {
  if (from === undefined && to === undefined) return undefined;
  if (from === undefined || to === undefined) {
    const missing = from === undefined ? 'from' : 'to';
    const detail = 'is missing; a time range has both from and to';
    throw invalidRequest([{ in: 'body', pointer: `#/${missing}`, detail }]);
  }
  const window = readWindow({ from, to }, { now, isUnsettledAllowed: true });
  if (Array.isArray(window)) throw invalidRequest(window);
  return window;
}
