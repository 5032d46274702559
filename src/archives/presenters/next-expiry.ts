import { Type } from '@sinclair/typebox';

import { DateTime } from '#time/date-time.ts';

/** What expires first in an archive, as callers see it. */
export const NextExpiry = Type.Object(
  {
    at: DateTime('When the log events expire.'),
    logGroupName: Type.Optional(
      Type.String({
        description:
          'Name of the log group. Absent if the policies do not permit you `ReadArchive` for it.',
      }),
    ),
  },
  {
    title: 'NextExpiry',
    description:
      'The log events that expire next, among those that are not covered. Absent if none of them expire.',
  },
);
