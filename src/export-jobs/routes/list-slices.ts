import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { NextCursor } from '#paging/page.ts';
import type { JobAccess } from '../access/job-access.ts';
import { JobParams } from '../export-job.ts';
import { type ListSlices, SliceListQuery } from '../operations/list-slices-of-job.ts';
import { exampleSlices, Slice } from '../presenters/show-slice.ts';

/** Lists the slices of an export job by number, each with its attempts. */
export const listSlices: FastifyPluginAsyncTypebox<{
  access: JobAccess;
  list: ListSlices;
}> = async (app, { access, list }) => {
  app.route({
    method: 'GET',
    url: '/export-jobs/:jobId/slices',
    schema: {
      operationId: 'listSlices',
      tags: ['export-jobs'],
      summary: 'List the slices of an export job',
      description:
        'Returns the slices of a job with their attempts, export tasks, prefixes and problems. The objects of a slice are under the `destinationPrefix` of its completed attempt.',
      params: JobParams,
      querystring: SliceListQuery,
      response: {
        200: Type.Object(
          {
            slices: Type.Array(Slice, { description: 'The slices of this page.' }),
            nextCursor: NextCursor,
          },
          {
            title: 'SlicePage',
            description: 'A page of slices.',
            examples: [{ slices: exampleSlices }],
          },
        ),
      },
    },
    config: {
      action: 'ReadExportJob',
      problems: ['export-job-not-found', 'export-job-deleted', 'database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request) => {
      const { head } = await access.find(request, 'ReadExportJob', request.params.jobId);
      const { entries: slices, ...page } = await list(head, request.query);
      return { slices, ...page };
    },
  });
};
