import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import { ExportJob, JobParams } from '../export-job.ts';
import type { JobChanges } from '../operations/change-job.ts';
import { exampleAccepted } from '../presenters/example-jobs.ts';
import type { ShowJobNow } from '../presenters/show-job.ts';

const cancelRequestedAt = '2024-05-04T08:00:03.000Z';
const CancelledExportJob = {
  ...ExportJob,
  examples: [
    {
      ...exampleAccepted,
      state: 'cancelled',
      sliceCounts: { ...exampleAccepted.sliceCounts, waiting: 0, cancelled: 2 },
      cancelRequestedAt,
      endedAt: cancelRequestedAt,
      queue: undefined,
    },
  ],
};

/** Requests the cancel of an export job: at once for waiting slices, through AWS for a running one. */
export const cancelExportJob: FastifyPluginAsyncTypebox<{
  changes: JobChanges;
  showNow: ShowJobNow;
}> = async (app, { changes, showNow }) => {
  app.route({
    method: 'POST',
    url: '/export-jobs/:jobId/cancel',
    schema: {
      operationId: 'cancelExportJob',
      tags: ['export-jobs'],
      summary: 'Cancel an export job',
      description:
        'Cancels the waiting slices at once. If a slice holds the slot, the service cancels its export task with CancelExportTask. AWS cancels asynchronously, so the job can be `cancelling` first. An export task that completes before its cancel stays completed. Exported objects stay in the bucket. A job that has ended does not change. The request is safe to repeat.',
      params: JobParams,
      response: { 202: CancelledExportJob },
    },
    config: {
      action: 'CancelExportJob',
      problems: ['export-job-not-found', 'export-job-deleted', 'database-unavailable'],
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request, reply) => {
      const { jobId } = request.params;
      await changes.cancel(request, jobId);

      const { job } = await showNow(jobId);
      return reply.code(202).send(job);
    },
  });
};
