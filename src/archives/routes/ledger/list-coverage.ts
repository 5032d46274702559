import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { NextCursor } from '#paging/page.ts';
import type { ArchiveOperations } from '../../operations/archive-operations.ts';
import { CoverageListQuery } from '../../operations/list-coverage.ts';
import { ArchiveParams } from '../../presenters/archive-view.ts';
import { exampleRuns, ShownRun } from '../../presenters/run-view.ts';

/** Lists the coverage of an archive: what is in S3, and what is not, and why. */
export const listCoverage: FastifyPluginAsyncTypebox<{ operations: ArchiveOperations }> = async (
  app,
  { operations },
) => {
  app.route({
    method: 'GET',
    url: '/archives/:archiveId/coverage',
    schema: {
      operationId: 'listCoverage',
      tags: ['archives'],
      summary: 'List the coverage of an archive',
      description:
        'Returns the states of all partitions, as runs: neighbouring partitions of a log group in one state are one entry. They are ordered by log group and time. A page can be short or empty and still have a `nextCursor`. The last run of a page can continue on the next one. The answer omits log groups for which the policies do not permit you `ReadArchive`. GET /coverage returns the exports of a time range, with their prefixes and links to their manifests.',
      params: ArchiveParams,
      querystring: CoverageListQuery,
      response: {
        200: Type.Object(
          {
            runs: Type.Array(ShownRun, { description: 'The runs of this page.' }),
            nextCursor: NextCursor,
          },
          {
            title: 'CoveragePage',
            description: 'A page of the coverage of an archive.',
            examples: [{ runs: exampleRuns }],
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
      const { archive } = await operations.access.find(request, 'ReadArchive', params.archiveId);
      const { entries: runs, ...page } = await operations.listCoverage(request, archive, query);
      return { runs, ...page };
    },
  });
};
