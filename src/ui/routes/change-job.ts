import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import { JobParams } from '#export-jobs/export-job.ts';
import type { JobChanges } from '#export-jobs/operations/change-job.ts';
import type { notices } from '../pages/job-page.ts';
import { readOwnForm } from '../session/own-form.ts';

/** Cancels and retries jobs, as the buttons of their pages request it. */
export const changeJob: FastifyPluginAsyncTypebox<{ changes: JobChanges }> = async (
  app,
  { changes },
) => {
  app.route({
    method: 'POST',
    url: '/ui/jobs/:jobId/cancel',
    schema: { params: JobParams },
    config: { action: 'CancelExportJob', timeoutProblem: 'database-unavailable' },
    handler: async (request, reply) => {
      readOwnForm(request.raw, request.body);
      const { jobId } = request.params;
      await changes.cancel(request, jobId);
      return reply.redirect(pageAfter(request.basePath, jobId, 'cancel-requested'), 303);
    },
  });

  app.route({
    method: 'POST',
    url: '/ui/jobs/:jobId/retry',
    schema: { params: JobParams },
    config: { action: 'RetryExportJob', timeoutProblem: 'database-unavailable' },
    handler: async (request, reply) => {
      readOwnForm(request.raw, request.body);
      const { jobId } = request.params;
      await changes.retry(request, jobId);
      return reply.redirect(pageAfter(request.basePath, jobId, 'retried'), 303);
    },
  });
};

function pageAfter(basePath: string, jobId: string, notice: keyof typeof notices): string {
  return `${basePath}/ui/jobs/${encodeURIComponent(jobId)}?notice=${notice}`;
}
