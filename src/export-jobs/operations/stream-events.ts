import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import type { Authenticate } from '#auth/access.ts';
import type { Authorizer, CallerRequest } from '#auth/authorization/authorizer.ts';
import { shareAnswers } from '#caching/shared-answers.ts';
import type { Queries } from '#database/database.ts';
import type { Log } from '#telemetry/log.ts';
import { hourMs } from '#time/durations.ts';
import { Text } from '#validation/text.ts';
import type { JobAccess } from '../access/job-access.ts';
import { hasEnded } from '../job-state.ts';
import { deletedMeanwhile } from '../store/deleted-job.ts';
import { readEvents } from '../store/reads/read-events.ts';
import { readProgress } from '../store/reads/read-progress.ts';
import type { ChangeWatch } from '../watching/change-watch.ts';
import { toVersionedState, writeEventStream } from '../watching/event-stream.ts';
import type { WaitingRequests } from '../watching/waiting-requests.ts';

const EventId = (description: string) =>
  Text({
    pattern: String.raw`^\d{1,15}$`,
    rule: 'the id of an event, a number of at most 15 digits',
    description,
  });
/** The parameters of an event stream. */
export const EventsQuery = Type.Object(
  {
    lastEventId: Type.Optional(
      EventId('The same as `Last-Event-ID`, for clients that cannot set headers.'),
    ),
  },
  { additionalProperties: false },
);
/** The headers of a reader that connects again. */
export const EventsHeaders = Type.Object({
  'Last-Event-ID': Type.Optional(
    EventId(
      'Id of the last received event: return only later events. Default: all events. `EventSource` sends it when it reconnects.',
    ),
  ),
});

/** The request of a reader. Its principal is replaced when it is authenticated again. */
interface ReaderRequest extends CallerRequest {
  raw: IncomingMessage;
  log: Pick<Log, 'info' | 'warn'>;
}

/**
 * Opens the event stream of a job after an event. `undefined` when the job has ended and there is no
 * later event.
 * @throws Problem export-job-not-found, export-job-deleted, too-many-watchers, too-many-streams
 */
export type OpenEventStream = (
  request: ReaderRequest,
  response: ServerResponse,
  from: { jobId: string; after: number },
) => Promise<Readable | undefined>;

/** What event streams need. */
export interface EventStreamsOptions {
  queries: Queries;
  access: JobAccess;
  authenticate: Authenticate;
  authorizer: Pick<Authorizer, 'version'>;
  watch: ChangeWatch;
  /** The open streams. */
  streams: WaitingRequests;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
}

/** The maximum age of a stream. Streams end up to a quarter earlier, so that they do not come back together. */
// Heartbeats fit into the buffers of a connection for hours, so a reader that does not read is not noticed. Shorter:
// readers connect more often. Longer: dead readers use up the limit of streams.
export const maxStreamMs = hourMs;

/** After this time without a read, a reader has left or does not read, and its stream ends. */
// Node may wait up to twice as long. Shorter than two heartbeats: the stream of a silent job ends. Longer:
// dead readers use up the limit of streams.
export const unreadMs = 35_000;

/** Makes `OpenEventStream`. */
export function makeOpenEventStream(options: EventStreamsOptions): OpenEventStream {
  const { queries, access, authenticate, authorizer, watch, streams, elapsed } = options;
  // All watchers of a job are released at the same moment and read the same.
  const sharing = { freshForMs: 0, elapsed };
  const eventsAfter = shareAnswers(readEvents.bind(undefined, queries), sharing);
  const progressOf = shareAnswers(readProgress.bind(undefined, queries), sharing);

  return async (request, response, { jobId, after }) => {
    const signal = streams.admit(request.principal, response);
    const readState = async () => {
      const progress = await progressOf(jobId);
      if (!progress) throw deletedMeanwhile();
      return toVersionedState(progress);
    };
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
    const { version, state } = await readState();
    if (after >= version && hasEnded(state)) return undefined;

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
    response.setTimeout(unreadMs, () => response.destroy());
    // At most one page ahead of its reader: each stream holds in memory what its reader has not read.
    return Readable.from(text, { objectMode: false, highWaterMark: 1 });
  };
}

/**
 * The time limit of a route with an event stream: 24 days, the maximum. Fastify's limit of a handler counts until the
 * last byte.
 */
export const streamTimeoutMs = 2_147_483_647;

/** The headers of an event stream. The connection ends with it, so that a shutdown need not wait for it to be idle. */
export const eventStreamHeaders = {
  'content-type': 'text/event-stream',
  'x-accel-buffering': 'no',
  connection: 'close',
};
