import type { ServerResponse } from 'node:http';

/**
 * A signal that aborts when the caller disconnects, or when the response is complete. Fastify's
 * `request.signal` aborts as soon as a body has been read.
 */
export function disconnectSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  return controller.signal;
}
