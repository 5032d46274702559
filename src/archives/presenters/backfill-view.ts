import { type Static, Type } from '@sinclair/typebox';
import type { Selectable } from 'kysely';

import type { ArchiveBackfillRow } from '#database/rows/archive-rows.ts';
import { Count } from '#export-jobs/export-job.ts';
import { Warning } from '#export-tasks/export-task.ts';
import { DateTime, toDateTime } from '#time/date-time.ts';
import { BackfillOrder, Reprocess } from '../planning/requests/backfill-body.ts';
import type { PlannedBackfill } from '../planning/requests/read-backfill.ts';
import { maxNamesInList } from './archive-view.ts';

const facts = {
  from: DateTime('Start of the time range, inclusive.'),
  to: DateTime('End of the time range, exclusive.'),
  logGroupNames: Type.Optional(
    Type.Array(Type.String(), {
      description: `Names of the log groups. Absent if it is for all log groups of the archive. GET /archives/{archiveId}/backfills returns at most ${maxNamesInList} of them, fewer for large pages, and only those that you may see.`,
    }),
  ),
  reprocess: Reprocess,
  order: BackfillOrder,
};
const warnings = Type.Optional(
  Type.Array(Warning, {
    description:
      'Likely mistakes in the request. Present if there are any. GET /archives/{archiveId}/backfills omits them.',
  }),
);
const exampleFacts = {
  from: '2024-04-01T00:00:00.000Z',
  to: '2024-05-01T00:00:00.000Z',
  reprocess: 'missing' as const,
  order: 'newest' as const,
};

/** A backfill for the examples of the API document. */
export const exampleBackfill = {
  number: 1,
  ...exampleFacts,
  requestedAt: '2024-05-04T08:00:00.000Z',
  caller: 'anonymous',
};

/** A backfill as callers see it. */
export type ShownBackfill = Static<typeof ShownBackfill>;
export const ShownBackfill = Type.Object(
  {
    number: Count('Number of the backfill in its archive: 1, 2, 3, …'),
    ...facts,
    requestedAt: DateTime('When it was requested.'),
    caller: Type.String({ description: 'Id of the caller who requested it.' }),
    endedAt: Type.Optional(
      DateTime('When none of its partitions was left to export. Absent before that.'),
    ),
    warnings,
  },
  {
    title: 'Backfill',
    description:
      'A request to export past partitions of an archive, or to export them again. Its time range can begin before `from` of the archive.',
    examples: [exampleBackfill],
  },
);

/** The answer to a dry run of a backfill. */
export type BackfillPlan = Static<typeof BackfillPlan>;
export const BackfillPlan = Type.Object(
  {
    ...facts,
    partitions: Count('Number of partitions that the backfill would export now.'),
    expectedSeconds: Type.Number({
      minimum: 0,
      description:
        'Expected duration of the exports, in seconds. The time of other exports of the target is not included.',
    }),
    warnings,
  },
  {
    title: 'BackfillPlan',
    description: 'The plan of a backfill, as a dry run returns it. Nothing is stored.',
    examples: [{ ...exampleFacts, partitions: 90, expectedSeconds: 5_400 }],
  },
);

/** Shows the values of a planned or requested backfill. */
export function showBackfillFacts({
  fromAt,
  toAt,
  logGroupNames,
  reprocess,
  order,
}: PlannedBackfill) {
  return {
    from: toDateTime(fromAt),
    to: toDateTime(toAt),
    ...(logGroupNames !== null && { logGroupNames: [...logGroupNames] }),
    reprocess,
    order,
  };
}

/** Shows a requested backfill, with at most `maxNames` names. */
export function showBackfill(
  row: Selectable<ArchiveBackfillRow>,
  maxNames = Number.POSITIVE_INFINITY,
): ShownBackfill {
  const { number, logGroupNames, serveOrder: order, requestedAt, caller, endedAt } = row;
  const names = logGroupNames === null ? null : JSON.parse(logGroupNames).slice(0, maxNames);
  return {
    number,
    ...showBackfillFacts({ ...row, order, logGroupNames: names }),
    requestedAt: toDateTime(requestedAt),
    caller,
    ...(endedAt !== null && { endedAt: toDateTime(endedAt) }),
  };
}
