import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';

import { inWords } from '#problems/limits.ts';
import { exampleJobId, JobParams } from '../export-job.ts';
import {
  EventsHeaders,
  EventsQuery,
  eventStreamHeaders,
  maxStreamMs,
  type OpenEventStream,
  streamTimeoutMs,
} from '../operations/stream-events.ts';
import { heartbeatMs } from '../watching/event-stream.ts';

const exampleText = `id: 3
event: slice-running
data: {"jobId":"${exampleJobId}","at":"2024-05-04T08:00:01.318Z","slice":0,"attempt":1,"taskId":"a2f6d913-07c4-4e8b-b5a1-6e1d84f0c327"}

`;

const eventsDescription = `The event stream. The \`data\` of an event is a JSON object. It has \`jobId\`, \`at\` (when the change was recorded), and these members:

- \`job-accepted\`: \`slices\`, the number of slices.
- \`job-cancel-requested\`: no other members.
- \`slices-cancelled\`: waiting slices were cancelled. \`slices\` is how many.
- \`slices-retried\`: failed slices went back into the queue. \`slices\` is how many.
- \`slices-failed\`: other waiting slices failed for the same reason as the slice in the previous event. \`slices\` is how many. \`problem\` is the same as in that event. \`logGroupName\` is present if only the slices of this log group failed.
- \`slice-starting\`, \`slice-cancelled\`: one slice. \`slice\` is its \`number\` in the job. \`attempt\` is the number of the attempt.
- \`slice-running\`, \`slice-cancelling\`, \`slice-verifying\`, \`slice-completed\`: \`slice\`, \`attempt\`, \`taskId\`.
- \`slice-failed\`: \`slice\`, \`attempt\`, \`problem\` (the name of the problem, as in GET /problems).
- \`slice-split\`: \`slice\`, \`attempt\`, \`problem\`, and \`children\`, the numbers of the shorter slices that are exported instead.
- \`slice-waiting\`: \`slice\`, \`attempt\` (the one that ended), \`problem\`, and \`readyAt\` (when the next attempt can start). \`problem\` is \`not-created\` if the service stopped during the create call and AWS lists no task for that call. GET /problems does not list \`not-created\`.
- \`job-ended\`: \`state\`. It has the same \`id\` and \`at\` as the previous event. So a client that misses only \`job-ended\` gets 204 when it connects again. Then GET /export-jobs/{jobId} has the state.`;

/** Streams the events of a job as server-sent events, from any event on until the job has ended. */
export const watchEvents: FastifyPluginAsyncTypebox<{
  openStream: OpenEventStream;
}> = async (app, { openStream }) => {
  app.route({
    method: 'GET',
    url: '/export-jobs/:jobId/events',
    handlerTimeout: streamTimeoutMs,
    schema: {
      operationId: 'watchEvents',
      tags: ['export-jobs'],
      summary: 'Stream the events of an export job',
      description: `Streams the events of a job as server-sent events: first all past events, then each change. Use \`curl -N\`, or \`EventSource\` in a browser. If you authenticate with a token or an API key, use \`fetch\`: \`EventSource\` cannot send them. The \`id\` of an event is the version of the job. A new connection with \`Last-Event-ID\` gets only the events after it. When the job has ended, the stream sends \`job-ended\` and closes. A stream also closes ${inWords(0.75 * maxStreamMs)} to ${inWords(maxStreamMs)} after it began, without \`job-ended\`. Then connect again with \`Last-Event-ID\`. \`EventSource\` does that by itself. If the job has ended and \`Last-Event-ID\` is the id of its last event, the answer is 204. A retry of the job adds events, and a new connection then gets them. A comment every ${inWords(heartbeatMs)} keeps the connection open.`,
      params: JobParams,
      querystring: EventsQuery,
      headers: EventsHeaders,
      response: {
        200: {
          description: eventsDescription,
          content: {
            'text/event-stream': { schema: Type.String(), example: exampleText },
          },
        },
        204: Type.Null({ description: 'The job has ended, and there is no later event.' }),
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
      produces: ['text/event-stream'],
    },
    handler: async (request, reply) => {
      const { query, headers } = request;
      const { jobId } = request.params;
      const after = Number(headers['last-event-id'] ?? query.lastEventId ?? 0);

      const stream = await openStream(request, reply.raw, { jobId, after });

      if (!stream) return reply.code(204).send(null);
      return reply.headers(eventStreamHeaders).send(stream as never);
    },
  });
};
