import { openChannel } from './channel.ts';

/** A request that was answered or aborted. */
interface EndedRequest {
  method: string;
  /** The pattern of its route, such as /export-tasks/:taskId; undefined if no route matches. */
  route: string | undefined;
  /** The status of the answer; undefined if the request was aborted before one was sent. */
  status: number | undefined;
  /** From its headers to the last byte of the answer. */
  durationMs: number;
}

/** Requests to the API that have ended. */
export const httpRequests = openChannel<EndedRequest>('http-request');
