import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import type { Authenticate } from '#auth/access.ts';
import type { JobAccess } from '../access/job-access.ts';
import { ExportJob, JobParams } from '../export-job.ts';
import { exampleJob } from '../presenters/example-jobs.ts';
import type { ShowJob } from '../presenters/show-job.ts';
import type { ChangeWatch } from '../watching/change-watch.ts';
import { readWhenChanged } from '../watching/conditional-read.ts';
import type { WaitingRequests } from '../watching/waiting-requests.ts';

const Query = Type.Object(
  {
    wait: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 30,
        description:
          'Maximum time to wait for a change of the job, in seconds. Default: no wait. With `If-None-Match`, the answer comes at once if the `ETag` differs, otherwise at the next change. Without `If-None-Match`, the answer comes at the next change, or at once if the job has ended. If only the position in the queue changes while the request waits, the wait goes on. At its end, the answer is 200 with the new position and `ETag`.',
        'x-rule': 'an integer from 1 to 30, in seconds',
      }),
    ),
  },
  { additionalProperties: false },
);
const Headers = Type.Object({
  'If-None-Match': Type.Optional(
    Type.String({
      description:
        'The `ETag` of an earlier answer. The answer is 304 if the job and its position in the queue have not changed since. `*` stands for the `ETag` at the time of the request.',
    }),
  ),
});

/** Shows an export job, at once or when it has changed. */
export const getExportJob: FastifyPluginAsyncTypebox<{
  access: JobAccess;
  show: ShowJob;
  authenticate: Authenticate;
  watch: ChangeWatch;
  /** The requests that wait. */
  polls: WaitingRequests;
}> = async (app, { access, show, authenticate, watch, polls }) => {
  app.route({
    method: 'GET',
    url: '/export-jobs/:jobId',
    handlerTimeout: 40_000, // longer than the longest wait
    schema: {
      operationId: 'getExportJob',
      tags: ['export-jobs'],
      summary: 'Get an export job',
      description:
        'Returns the state of a job and its position in the queue. To follow a job, repeat the request with `wait=30` and the last `ETag` as `If-None-Match`. The answer comes when the job has changed, or after 30 seconds. It is 304 if neither the job nor its position has changed.',
      params: JobParams,
      querystring: Query,
      headers: Headers,
      response: {
        200: { ...ExportJob, examples: [exampleJob] },
        304: Type.Unsafe<undefined>({
          type: 'null',
          description:
            'Neither the job nor its position in the queue has changed since the answer with this `ETag`.',
        }),
      },
    },
    config: {
      action: 'ReadExportJob',
      isWaiting: true,
      problems: [
        'export-job-not-found',
        'export-job-deleted',
        'too-many-watchers',
        'too-many-streams',
        'database-unavailable',
      ],
      headers: { 200: ['ETag'], 304: ['ETag'] },
      timeoutProblem: 'database-unavailable',
    },
    handler: async (request, reply) => {
      const { jobId } = request.params;
      const { wait: seconds } = request.query;
      const wait =
        seconds === undefined
          ? undefined
          : { seconds, signal: polls.admit(request.principal, reply.raw) };
      const { shown, isKnown } = await readWhenChanged({
        id: jobId,
        watch,
        known: request.headers['if-none-match'],
        wait,
        read: async () => show((await access.find(request, 'ReadExportJob', jobId)).head),
        async authenticateAgain() {
          request.principal = await authenticate(request.raw);
        },
      });

      reply.header('etag', shown.etag).header('cache-control', 'no-cache');
      return isKnown ? reply.code(304).send(undefined) : reply.send(shown.job);
    },
  });
};
