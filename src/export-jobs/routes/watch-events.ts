import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from '@sinclair/typebox';
import type { Authenticate } from '#auth/access.ts';
import type { Authorizer } from '#auth/authorization/authorizer.ts';
import { shareAnswers } from '#caching/shared-answers.ts';
import type { Queries } from '#database/database.ts';
import { inWords } from '#problems/limits.ts';
import { Text } from '#validation/text.ts';
import type { JobAccess } from '../access/job-access.ts';
import { exampleJobId, JobParams } from '../export-job.ts';
import { hasEnded } from '../job-state.ts';
import { readEvents } from '../store/reads/read-events.ts';
import { readProgress } from '../store/reads/read-progress.ts';
import { heartbeatMs, toVersionedState, writeEventStream } from '../watching/event-stream.ts';
import type { JobWatch } from '../watching/job-watch.ts';
import type { WaitingRequests } from '../watching/waiting-requests.ts';

const EventId = (description: string) =>
  Text({
    pattern: String.raw`^\d{1,15}$`,
    rule: 'the id of an event, a number of at most 15 digits',
    description,
  });
const Query = Type.Object(
  {
    lastEventId: Type.Optional(
      EventId('The same as `Last-Event-ID`, for clients that cannot set headers.'),
    ),
  },
  { additionalProperties: false },
);
const Headers = Type.Object({
  'Last-Event-ID': Type.Optional(
    EventId(
      'Id of the last received event: return only later events. Default: all events. `EventSource` sends it when it reconnects.',
    ),
  ),
});

/** What watching events needs. */
export interface WatchEventsOptions {
  queries: Queries;
  access: JobAccess;
  authenticate: Authenticate;
  authorizer: Pick<Authorizer, 'version'>;
  watch: JobWatch;
  /** The open streams. */
  streams: WaitingRequests;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
}

const exampleText = `id: 3
event: slice-running
data: {"jobId":"${exampleJobId}","at":"2024-05-04T08:00:01.318Z","slice":0,"attempt":1,"taskId":"a2f6d913-07c4-4e8b-b5a1-6e1d84f0c327"}

`;

const eventsDescription = `The event stream. The \`data\` of an event is a JSON object. It has \`jobId\`, \`at\` (when the change was recorded), and these members:

- \`job-accepted\`: \`slices\`, the number of slices.
- \`job-cancel-requested\`: no other members.
- \`slices-cancelled\`: waiting slices were cancelled. \`slices\` is how many.
- \`slices-retried\`: failed slices went back into the queue. \`slices\` is how many.
- \`slice-starting\`, \`slice-cancelled\`: one slice. \`slice\` is its \`number\` in the job. \`attempt\` is the number of the attempt.
- \`slice-running\`, \`slice-cancelling\`, \`slice-completed\`: \`slice\`, \`attempt\`, \`taskId\`.
- \`slice-failed\`: \`slice\`, \`attempt\`, \`problem\` (the name of the problem, as in GET /problems).
- \`slice-waiting\`: \`slice\`, \`attempt\` (the one that ended), \`problem\`, and \`readyAt\` (when the next attempt can start). \`problem\` is \`not-created\` if the service stopped during the create call and AWS lists no task for that call. GET /problems does not list \`not-created\`.
- \`job-ended\`: \`state\`. It has the \`id\` and \`at\` of the event before it. After a 204, GET /export-jobs/{jobId} has the state.`;

// After this time without a read, a reader has left or does not read, and its stream ends. Node may
// wait up to twice as long. Shorter than two heartbeats: the stream of a silent job ends. Longer:
// dead readers use up the limit of streams.
const unreadMs = 35_000;
// Fastify's limit of a handler counts until the last byte. This is its maximum, 24 days.
const noTimeout = 2_147_483_647;

/** Streams the events of a job as server-sent events, from any event on until the job has ended. */
export const watchEvents: FastifyPluginAsyncTypebox<WatchEventsOptions> = async (app, options) => {
  const { queries, access, authenticate, authorizer, watch, streams, elapsed } = options;
  // All watchers of a job are released at the same moment and read the same.
  const sharing = { freshForMs: 0, elapsed };
  const eventsAfter = shareAnswers(readEvents.bind(undefined, queries), sharing);
  const progressOf = shareAnswers(readProgress.bind(undefined, queries), sharing);

  app.route({
    method: 'GET',
    url: '/export-jobs/:jobId/events',
    handlerTimeout: noTimeout,
    schema: {
      operationId: 'watchEvents',
      tags: ['export-jobs'],
      summary: 'Stream the events of an export job',
      description: `Streams the events of a job as server-sent events: first all past events, then each change. Use \`curl -N\`, or \`EventSource\` in a browser. \`EventSource\` cannot send a token or an API key: use \`fetch\` then. The \`id\` of an event is the version of the job. A new connection with \`Last-Event-ID\` gets only the events after it. When the job has ended, the stream sends \`job-ended\` and closes. If the job has ended and \`Last-Event-ID\` is the id of its last event, the answer is 204. A retry of the job adds events, and a new connection then gets them. A comment every ${inWords(heartbeatMs)} keeps the connection open.`,
      params: JobParams,
      querystring: Query,
      headers: Headers,
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
        'too-many-watchers',
        'too-many-streams',
        'database-unavailable',
      ],
      produces: ['text/event-stream'],
    },
    handler: async (request, reply) => {
      const { query, headers } = request;
      const { jobId } = request.params;
      const signal = streams.admit(request.principal, reply.raw);
      const readState = async () => toVersionedState(await progressOf(jobId));
      let permittedBy: number | undefined; // the version of the policies
      // Before each read: the credential may be revoked or expired by now, and the policies may have
      // changed.
      const requireRead = async () => {
        const principal = await authenticate(request.raw);
        if (principal === request.principal && permittedBy === authorizer.version()) return;
        request.principal = principal;
        permittedBy = authorizer.version();
        await access.find(request, 'ReadExportJob', jobId);
      };
      await requireRead();
      const after = Number(headers['last-event-id'] ?? query.lastEventId ?? 0);
      const { version, state } = await readState();
      if (after >= version && hasEnded(state)) return reply.code(204).send(null);

      // The connection ends with the stream, so that a shutdown need not wait for it to be idle.
      const streamHeaders = { 'x-accel-buffering': 'no', connection: 'close' };
      reply.type('text/event-stream').headers(streamHeaders);
      const text = writeEventStream({
        jobId,
        after: Math.min(after, version), // a reader that is ahead of this job gets the events from now on
        async readEvents(...from) {
          await requireRead();
          return eventsAfter(...from);
        },
        readState,
        watch,
        signal,
        log: request.log,
      });
      reply.raw.setTimeout(unreadMs, () => reply.raw.destroy());
      // At most one page ahead of its reader: each stream holds in memory what its reader has not read.
      return reply.send(Readable.from(text, { objectMode: false, highWaterMark: 1 }) as never);
    },
  });
};
