import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import type { ArchiveOperations } from '#archives/operations/archive-operations.ts';
import { CoverageListQuery } from '#archives/operations/list-coverage.ts';
import { ArchiveParams } from '#archives/presenters/archive-view.ts';

/** Answers with the coverage of an archive as the API does. A browser sends the session to pages only. */
export const showCoverage: FastifyPluginAsyncTypebox<{ operations: ArchiveOperations }> = async (
  app,
  { operations },
) => {
  app.route({
    method: 'GET',
    url: '/ui/archives/:archiveId/coverage',
    schema: { params: ArchiveParams, querystring: CoverageListQuery },
    config: {
      action: 'ReadArchive',
      timeoutProblem: 'database-unavailable',
      produces: ['application/json'],
    },
    handler: async (request) => {
      const { params, query } = request;
      const { archive } = await operations.access.find(request, 'ReadArchive', params.archiveId);
      const { entries: runs, ...page } = await operations.listCoverage(request, archive, query);
      return { runs, ...page };
    },
  });
};
