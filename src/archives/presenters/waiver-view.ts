import { type Static, Type } from '@sinclair/typebox';
import type { Selectable } from 'kysely';

import type { ArchiveWaiverRow } from '#database/rows/archive-rows.ts';
import { Count } from '#export-jobs/export-job.ts';
import { DateTime, toDateTime } from '#time/date-time.ts';

/** A waiver as callers see it. */
export type ShownWaiver = Static<typeof ShownWaiver>;
export const ShownWaiver = Type.Object(
  {
    number: Count('Number of the waiver in its archive: 1, 2, 3, …'),
    logGroupName: Type.String({ description: 'Name of the log group.' }),
    from: DateTime('Start of the time range, inclusive.'),
    to: DateTime('End of the time range, exclusive.'),
    reason: Type.String({ description: 'The reason that the caller gave.' }),
    caller: Type.String({ description: 'Id of the caller who created the waiver.' }),
    at: DateTime('When the waiver was created.'),
  },
  {
    title: 'Waiver',
    description: 'A time range of a log group that need not be covered.',
    examples: [
      {
        number: 1,
        logGroupName: '/demo/checkout',
        from: '2024-05-01T00:00:00.000Z',
        to: '2024-05-02T00:00:00.000Z',
        reason: 'The service was not in use before.',
        caller: 'anonymous',
        at: '2024-05-04T08:00:00.000Z',
      },
    ],
  },
);

/** Shows a waiver. */
export function showWaiver(row: Selectable<ArchiveWaiverRow>): ShownWaiver {
  const { number, logGroupName, fromAt, toAt, reason, caller, at } = row;
  const window = { from: toDateTime(fromAt), to: toDateTime(toAt) };
  return { number, logGroupName, ...window, reason, caller, at: toDateTime(at) };
}
