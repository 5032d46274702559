import { once } from 'node:events';
import { connect } from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import { expect, test } from 'vitest';

import { edgeLimits } from '#edge/limits.ts';
import { edgePlugin } from '#edge/plugin.ts';

/** The edge alone, with one operation that only ends when its signal is aborted. */
async function openEdge(handlerTimeout: number) {
  const started = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<Event>();
  const app: FastifyInstance = Fastify({ handlerTimeout });
  await app.register(edgePlugin, {
    limits: edgeLimits,
    newId: () => 'id',
    log: { info() {} },
    isStopping: () => false,
  });
  app.route({
    method: ['GET', 'POST'],
    url: '/',
    handler: (request, reply) => {
      request.signal.addEventListener('abort', aborted.resolve);
      started.resolve();
      return reply;
    },
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    whenStarted: started.promise,
    whenAborted: aborted.promise,
    [Symbol.asyncDispose]: () => app.close(),
  };
}

const json = { 'content-type': 'application/json' };

test.each([
  ['GET', {}],
  ['POST without a body', { method: 'POST' }],
  ['POST with a body', { method: 'POST', headers: json, body: '{}' }],
])('the time limit of a handler holds for %s', async (_name, init) => {
  await using edge = await openEdge(50);

  const response = await fetch(edge.url, init);

  expect(await response.json()).toMatchObject({ code: 'FST_ERR_HANDLER_TIMEOUT' });
});

test.each([
  'GET / HTTP/1.1\r\nHost: test\r\n\r\n',
  `POST / HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`,
])('a caller that has gone aborts %j', async (text) => {
  await using edge = await openEdge(30_000);
  const socket = connect(Number(new URL(edge.url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(text);
  await edge.whenStarted;

  socket.destroy();

  expect(await edge.whenAborted).toMatchObject({ type: 'abort' });
});
