import { type Static, Type } from '@sinclair/typebox';

import type { ArchiveBackfillRow } from '#database/rows/archive-rows.ts';
import { maxLogGroups } from '#export-jobs/planning/create-export-job-body.ts';
import { LogGroupName } from '#export-tasks/create-export-task-body.ts';
import { Instant } from '#validation/instant.ts';

const reprocesses = ['missing', 'failed', 'all'] as const;
const orders = ['oldest', 'newest'] as const;
const timeFormats =
  'Milliseconds since 1970-01-01T00:00:00Z, or RFC 3339 text with an offset. It must be the start of a partition.';

/** What a backfill exports, in requests and answers. */
export const Reprocess = Type.Unsafe<ArchiveBackfillRow['reprocess']>({
  title: 'Reprocess',
  type: 'string',
  enum: reprocesses,
  description:
    'The partitions to export. `missing`: those that are not covered, not waived and not failed. A partition is failed if its latest export failed, or if somebody cancelled its job. `failed`: the same as `missing`, and also failed partitions. They do not wait for their next automatic try. `all`: the same as `failed`, and covered partitions again, to the next `{revision}`. This `missing` is not the state `missing` of partitions, which includes failed partitions.',
  'x-rule': `one of ${reprocesses.join(', ')}`,
});

/** The order of a backfill, in requests and answers. */
export const BackfillOrder = Type.Unsafe<ArchiveBackfillRow['serveOrder']>({
  title: 'BackfillOrder',
  type: 'string',
  enum: orders,
  description:
    'The partitions that go first: the `oldest` or the `newest`. In a log group with a retention, the oldest partitions always go first, because their log events expire first. Covered partitions are always exported again from the oldest to the newest.',
  'x-rule': `one of ${orders.join(', ')}`,
});

/** The body of POST /archives/{archiveId}/backfills. */
export type CreateBackfill = Static<typeof CreateBackfill>;
export const CreateBackfill = Type.Object(
  {
    from: Instant({ description: `Start of the time range, inclusive. ${timeFormats}` }),
    to: Instant({
      description: `End of the time range, exclusive. ${timeFormats} It must not be after the start of the current partition.`,
    }),
    logGroupNames: Type.Optional(
      Type.Array(LogGroupName, {
        minItems: 1,
        maxItems: maxLogGroups,
        uniqueItems: true,
        'x-rule': `an array of 1 to ${maxLogGroups} names of log groups, each once`,
        description:
          'Names of log groups of the archive. Default: all log groups of the archive, also those that are created later.',
      }),
    ),
    reprocess: Type.Optional({
      ...Reprocess,
      default: 'missing',
      description: `${Reprocess.description} Default: \`missing\`.`,
    }),
    order: Type.Optional({
      ...BackfillOrder,
      default: 'oldest',
      description: `${BackfillOrder.description} Default: \`oldest\`.`,
    }),
  },
  {
    title: 'CreateBackfill',
    additionalProperties: false,
    description: 'A request to export past partitions of an archive.',
    'x-rule': 'a JSON object with from and to',
    examples: [{ from: '2024-04-01T00:00:00Z', to: '2024-05-01T00:00:00Z', order: 'newest' }],
  },
);
