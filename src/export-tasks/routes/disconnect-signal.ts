import type { ServerResponse } from 'node:http';

/**
 * A signal that aborts when the caller disconnects before the response is complete. Fastify's
 * `request.signal` aborts as soon as a body has been read.
 */
export function disconnectSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
