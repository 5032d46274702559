import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { Database } from '#database/database.ts';
import { ExportJob, exampleAccepted, JobParams } from '../export-job.ts';
import { retryJob } from '../job-store/requests/cancel-and-retry.ts';
import type { ShowJob } from '../views/job-view.ts';

const RetriedExportJob = Type.Object(
  {
    retriedSlices: Type.Integer({
      minimum: 0,
      description: 'How many failed slices are back in line; 0 when there was none.',
    }),
    exportJob: ExportJob,
  },
  {
    title: 'RetriedExportJob',
    description: 'The failed slices wait again.',
    examples: [{ retriedSlices: 2, exportJob: exampleAccepted }],
  },
);

/** Puts the failed slices of an export job back into line, and nothing else. */
export const retryExportJob: FastifyPluginAsyncTypebox<{
  database: Database;
  show: ShowJob;
  announce: (jobId: string, target: string) => void;
}> = async (app, { database, show, announce }) => {
  app.route({
    method: 'POST',
    url: '/export-jobs/:jobId/retry',
    schema: {
      operationId: 'retryExportJob',
      tags: ['export-jobs'],
      summary: 'Retry the failed slices of an export job',
      description:
        'Only slices that failed are exported again, each to a prefix of its own attempt; what is completed stays as it is. May be repeated safely: without a failed slice nothing changes.',
      params: JobParams,
      response: { 202: RetriedExportJob },
    },
    config: {
      action: 'RetryExportJob',
      problems: ['export-job-not-found', 'export-job-cancelled', 'database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request, reply) => {
      const caller = request.principal.id;
      const { jobId } = request.params;

      const { target, slices } = await retryJob(database, jobId, caller);
      announce(jobId, target);

      const { job } = await show(jobId, caller);
      return reply.code(202).send({ retriedSlices: slices, exportJob: job });
    },
  });
};
