import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { NextCursor, pageParameters } from '#paging/page.ts';
import type { ArchiveOperations } from '../../operations/archive-operations.ts';
import { ArchiveParams } from '../../presenters/archive-view.ts';
import { exampleBackfill, ShownBackfill } from '../../presenters/backfill-view.ts';

const Query = Type.Object(pageParameters, { additionalProperties: false });

/** Lists the backfills of an archive, the newest first. */
export const listBackfills: FastifyPluginAsyncTypebox<{ operations: ArchiveOperations }> = async (
  app,
  { operations },
) => {
  app.route({
    method: 'GET',
    url: '/archives/:archiveId/backfills',
    schema: {
      operationId: 'listBackfills',
      tags: ['archives'],
      summary: 'List the backfills of an archive',
      description: 'Returns the backfills of an archive, newest first, and when each has ended.',
      params: ArchiveParams,
      querystring: Query,
      response: {
        200: Type.Object(
          {
            backfills: Type.Array(ShownBackfill, { description: 'The backfills of this page.' }),
            nextCursor: NextCursor,
          },
          {
            title: 'BackfillPage',
            description: 'A page of backfills.',
            examples: [{ backfills: [exampleBackfill] }],
          },
        ),
      },
    },
    config: {
      action: 'ReadArchive',
      problems: ['archive-not-found', 'database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request) => {
      const { params, query } = request;
      const { archiveId } = params;
      const { entries: backfills, ...page } = await operations.backfills.list(
        request,
        archiveId,
        query,
      );
      return { backfills, ...page };
    },
  });
};
