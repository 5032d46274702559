import { type Static, Type } from '@sinclair/typebox';

import { LogGroupName } from '#export-tasks/create-export-task-body.ts';
import { Instant } from '#validation/instant.ts';
import { Reason } from '../definition/reason.ts';

const timeFormats = 'Milliseconds since 1970-01-01T00:00:00Z, or RFC 3339 text with an offset.';

/** The body of POST /archives/{archiveId}/waivers. */
export type CreateWaiver = Static<typeof CreateWaiver>;
export const CreateWaiver = Type.Object(
  {
    logGroupName: { ...LogGroupName, description: 'Name of a log group of the archive.' },
    from: Instant({ description: `Start of the time range, inclusive. ${timeFormats}` }),
    to: Instant({
      description: `End of the time range, exclusive. ${timeFormats} It must not be after the end of the current partition.`,
    }),
    reason: Reason,
  },
  {
    title: 'CreateWaiver',
    additionalProperties: false,
    description: 'A statement that a time range of a log group need not be covered.',
    'x-rule': 'a JSON object with logGroupName, from, to and reason',
    examples: [
      {
        logGroupName: '/demo/checkout',
        from: '2024-05-01T00:00:00Z',
        to: '2024-05-02T00:00:00Z',
        reason: 'The service was not in use before.',
      },
    ],
  },
);
