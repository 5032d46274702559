import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { Database } from '#database/database.ts';
import { defaultPageLimit, NextCursor, pageParameters, readCursor, toPage } from '#paging/page.ts';
import type { JobAccess } from '../access/job-access.ts';
import { JobParams } from '../export-job.ts';
import { exampleSlices, Slice, SliceStateName, showSlice } from '../presenters/show-slice.ts';
import { readAttempts, readSlices } from '../store/reads/read-slices.ts';

const Query = Type.Object(
  {
    state: Type.Optional({
      ...SliceStateName,
      description: 'Return only slices in this state. Default: all states.',
    }),
    ...pageParameters,
  },
  { additionalProperties: false },
);

/** Lists the slices of an export job by number, each with its attempts. */
export const listSlices: FastifyPluginAsyncTypebox<{
  database: Database;
  access: JobAccess;
}> = async (app, { database, access }) => {
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
      querystring: Query,
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
      problems: ['export-job-not-found', 'database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request) => {
      const { jobId } = request.params;
      const { state, limit = defaultPageLimit, cursor } = request.query;
      const [after] = readCursor(cursor, ['number']) ?? [];
      await access.find(request, 'ReadExportJob', jobId);

      const rows = await readSlices(database, { jobId, state, after, limit: limit + 1 });
      const { entries, ...page } = toPage(rows, limit, ({ number }) => [number]);
      const attempts = await readAttempts(
        database,
        jobId,
        entries.map(({ number }) => number),
      );
      const attemptsOf = Map.groupBy(attempts, ({ slice }) => slice);

      const slices = entries.map((slice) =>
        showSlice(slice, attemptsOf.get(slice.number) ?? [], request.basePath),
      );
      return { slices, ...page };
    },
  });
};
