import { openChannel } from './channel.ts';

/** A request to the API whose headers have arrived. */
export interface StartedRequest {
  /** Such as GET; `_OTHER` if it is neither a method of RFC 9110 nor PATCH. */
  method: string;
  /** The pattern of its route, such as /export-tasks/:taskId; undefined if no route matches. */
  route: string | undefined;
  scheme: string;
  /** Its headers traceparent and tracestate. */
  callerTrace: { parent: string | undefined; state: string | undefined };
  /** The span of the request, as a header traceparent. A listener sets it. */
  traceParent?: string;
}

/** A request that was answered or aborted. */
interface EndedRequest {
  /** The message of its start. */
  start: StartedRequest;
  /** The status of the answer; undefined if the request was aborted before one was sent. */
  status: number | undefined;
  /** From its headers to the last byte of the answer. */
  durationMs: number;
  /** The slug of the problem that it was answered with. */
  problem: string | undefined;
}

/** Requests to the API. `run` contains everything that is done for the request. */
export const requestStarts = openChannel<StartedRequest>('http-request-start');

/** Requests to the API that have ended. */
export const httpRequests = openChannel<EndedRequest>('http-request');
