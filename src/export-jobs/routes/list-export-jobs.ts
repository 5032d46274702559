import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { NextCursor } from '#paging/page.ts';
import { ExportJob } from '../export-job.ts';
import { JobListQuery, type ListJobs } from '../operations/list-jobs.ts';
import { exampleJob } from '../presenters/example-jobs.ts';

/** Lists export jobs, the newest first: the caller's own, or those of others that it may read. */
export const listExportJobs: FastifyPluginAsyncTypebox<{ list: ListJobs }> = async (
  app,
  { list },
) => {
  app.route({
    method: 'GET',
    url: '/export-jobs',
    schema: {
      operationId: 'listExportJobs',
      tags: ['export-jobs'],
      summary: 'List export jobs',
      description:
        'Returns your export jobs, newest first, each with its progress. With `caller`, it returns the jobs of that caller, or of all callers (`*`). Jobs of archives are in the list only with `archiveId`. The list omits jobs that you may not see, and a request searches a limited number of jobs. So a page can be short or empty and still have a `nextCursor`. The position in the queue is not in this list. GET /export-jobs/{jobId} has it.',
      querystring: JobListQuery,
      response: {
        200: Type.Object(
          {
            exportJobs: Type.Array(ExportJob, { description: 'The jobs of this page.' }),
            nextCursor: NextCursor,
          },
          {
            title: 'ExportJobPage',
            description: 'A page of export jobs.',
            examples: [{ exportJobs: [exampleJob] }],
          },
        ),
      },
    },
    config: {
      action: 'ReadExportJob',
      problems: ['database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request) => {
      const { entries: exportJobs, ...page } = await list(request, request.query);
      return { exportJobs, ...page };
    },
  });
};
