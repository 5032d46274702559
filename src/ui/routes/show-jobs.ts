import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import { JobListQuery, type ListJobs } from '#export-jobs/operations/list-jobs.ts';
import { jobListPage } from '../pages/job-list-page.ts';
import type { SendPage } from './send-page.ts';

/** Shows the jobs that the caller may read; without a filter, its own. */
export const showJobs: FastifyPluginAsyncTypebox<{ list: ListJobs; sendPage: SendPage }> = async (
  app,
  { list, sendPage },
) => {
  app.route({
    method: 'GET',
    url: '/ui/jobs',
    schema: { querystring: JobListQuery },
    config: { action: 'ReadExportJob', timeoutProblem: 'database-unavailable' },
    handler: async (request, reply) => {
      const query = { limit: 50, ...request.query };
      const page = await list(request, query);

      const { basePath } = request;
      return sendPage(request, reply, jobListPage({ ...page, basePath, query }));
    },
  });
};
