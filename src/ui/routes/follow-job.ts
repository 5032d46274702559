import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';

import { JobParams } from '#export-jobs/export-job.ts';
import {
  EventsHeaders,
  EventsQuery,
  eventStreamHeaders,
  type OpenEventStream,
  streamTimeoutMs,
} from '#export-jobs/operations/stream-events.ts';
import { withSessionCredential } from '../session/session.ts';

/** Streams the events of a job to its page. Scripts of a page cannot send the credential of the session. */
export const followJob: FastifyPluginAsyncTypebox<{ openStream: OpenEventStream }> = async (
  app,
  { openStream },
) => {
  app.route({
    method: 'GET',
    url: '/ui/jobs/:jobId/events',
    handlerTimeout: streamTimeoutMs,
    schema: { params: JobParams, querystring: EventsQuery, headers: EventsHeaders },
    config: { action: 'ReadExportJob', isWaiting: true, produces: ['text/event-stream'] },
    handler: async (request, reply) => {
      const { params, query, headers, principal, id, log } = request;
      const after = Number(headers['last-event-id'] ?? query.lastEventId ?? 0);
      const reader = { principal, id, log, raw: withSessionCredential(request.raw) };

      const stream = await openStream(reader, reply.raw, { jobId: params.jobId, after });

      if (!stream) return reply.code(204).send();
      return reply.headers(eventStreamHeaders).send(stream as never);
    },
  });
};
