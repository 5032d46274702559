import type { ServerResponse } from 'node:http';

/**
 * A signal that aborts when nobody waits for the response any more: its caller has left, or it is
 * answered. Fastify's own `request.signal` aborts as soon as a body has been read.
 */
export function disconnectSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once('close', () => controller.abort());
  return controller.signal;
}
