import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { ExportJob, JobParams } from '../export-job.ts';
import type { JobChanges } from '../operations/change-job.ts';
import { exampleAccepted, exampleJob } from '../presenters/example-jobs.ts';
import type { ShowJobNow } from '../presenters/show-job.ts';

const RetriedExportJob = Type.Object(
  {
    retriedSlices: Type.Integer({
      minimum: 0,
      description: 'Number of failed slices that are in the queue again. 0 if no slice had failed.',
    }),
    exportJob: ExportJob,
  },
  {
    title: 'RetriedExportJob',
    description: 'The retried job.',
    examples: [
      { retriedSlices: 2, exportJob: { ...exampleAccepted, startedAt: exampleJob.startedAt } },
    ],
  },
);

/** Puts the failed slices of an export job back into the queue. */
export const retryExportJob: FastifyPluginAsyncTypebox<{
  changes: JobChanges;
  showNow: ShowJobNow;
}> = async (app, { changes, showNow }) => {
  app.route({
    method: 'POST',
    url: '/export-jobs/:jobId/retry',
    schema: {
      operationId: 'retryExportJob',
      tags: ['export-jobs'],
      summary: 'Retry an export job',
      description:
        'Puts the failed slices into the queue again. A slice with a `notBeforeAt` in the future waits until then. If `destinationPrefix` has `{attempt}`, each attempt has its own prefix. The default `destinationPrefix` has `{attempt}`. Completed slices do not change. If a cancel of the job was requested, the answer is 409 `export-job-cancelled`. A job of an archive cannot be retried: the answer is 409 `export-job-of-archive`. The policies must permit both `RetryExportJob` and `CreateExportJob`. The request is safe to repeat: without failed slices nothing changes.',
      params: JobParams,
      response: { 202: RetriedExportJob },
    },
    config: {
      action: 'RetryExportJob',
      problems: [
        'export-job-not-found',
        'export-job-deleted',
        'not-permitted',
        'export-job-cancelled',
        'export-job-of-archive',
        'too-many-waiting-slices',
        'database-unavailable',
      ],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request, reply) => {
      const { jobId } = request.params;
      const retriedSlices = await changes.retry(request, jobId);

      const { job } = await showNow(jobId);
      return reply.code(202).send({ retriedSlices, exportJob: job });
    },
  });
};
