import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { Authorizer } from '#auth/authorization/authorizer.ts';
import { JobParams } from '#export-jobs/export-job.ts';
import type { JobOperations } from '#export-jobs/operations/job-operations.ts';
import { SliceListQuery } from '#export-jobs/operations/list-slices-of-job.ts';
import { GridQuery } from '#export-jobs/operations/read-slice-grid.ts';
import { jobPage, notices } from '../pages/job-page.ts';
import type { OpenSession } from '../session/open-session.ts';
import { formTokenOf } from '../session/session.ts';
import type { SendPage } from './send-page.ts';

const Query = Type.Object(
  {
    ...SliceListQuery.properties,
    ...GridQuery.properties,
    notice: Type.Optional(
      Type.Unsafe<keyof typeof notices>({
        type: 'string',
        enum: Object.keys(notices),
        'x-rule': `one of ${Object.keys(notices).join(', ')}`,
      }),
    ),
  },
  { additionalProperties: false },
);

/** Shows a job, its slices and its failures. */
export const showJobPage: FastifyPluginAsyncTypebox<{
  operations: JobOperations;
  authorizer: Pick<Authorizer, 'mayPermit'>;
  openSession: OpenSession;
  sendPage: SendPage;
  now: () => number;
}> = async (app, { operations, authorizer, openSession, sendPage, now }) => {
  app.route({
    method: 'GET',
    url: '/ui/jobs/:jobId',
    schema: { params: JobParams, querystring: Query },
    config: { action: 'ReadExportJob', timeoutProblem: 'database-unavailable' },
    handler: async (request, reply) => {
      const { notice, ...query } = request.query;
      const { access, show, readGrid, listSlices } = operations;
      const found = await access.find(request, 'ReadExportJob', request.params.jobId);
      const { head, target } = found;
      const { job, version } = await show(head);
      const grid = await readGrid(head, job.sliceCounts, query);
      const slices = { ...(await listSlices(head, query)), query };

      const view = {
        basePath: request.basePath,
        now: now(),
        job,
        version,
        grid,
        slices,
        notice,
        token: formTokenOf(openSession(request.raw, reply)),
        mayCancel: authorizer.mayPermit(request, 'CancelExportJob', target),
        mayRetry: authorizer.mayPermit(request, 'RetryExportJob', target),
      };
      return sendPage(request, reply, jobPage(view));
    },
  });
};
