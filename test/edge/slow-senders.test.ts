import { once } from 'node:events';
import { setImmediate as immediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';

import { allowForPauses } from '#edge/server.ts';
import { openWorld } from '../world.ts';
import { expectProblem } from './expect-problem.ts';
import { dial, listen, request } from './raw.ts';

// Bytes that are sent at once arrive in time, also on a busy machine.
const quick = { headersMs: 1_000, requestMs: 1_500, checkMs: 20 };
const half = request('POST /export-tasks', {
  'Content-Type': 'application/json',
  'Content-Length': '100',
});

test.each([
  ['headers that never end', 'GET /health/live HTTP/1.1\r\nHost: gateway\r\nX: '],
  ['a body that never ends', `${half}{"logGroupName":`],
  [
    'a chunk that never ends',
    `${half.replace('Content-Length: 100', 'Transfer-Encoding: chunked')}5\r\n{`,
  ],
])('returns 408 and closes the connection for %s', async (_name, bytes) => {
  await using world = await openWorld({ limits: quick });
  const socket = dial(world.port);

  socket.write(bytes);
  const { answers, isClosed } = await listen(socket, bytes);

  expect(isClosed).toBe(true);
  expect(answers).toHaveLength(1);
  await expectProblem(world, answers[0], 'request-timeout');
  expect(world.creates()).toHaveLength(0);
});

test('answers 200 stalled senders within their limits, and other callers meanwhile', async () => {
  await using world = await openWorld({ limits: quick });
  const beginnings = ['GET /health/live HTTP/1.1\r\nHost:', `${half}{`, 'P', half];

  const stalled = Array.from({ length: 200 }, (_, index) => {
    const bytes = beginnings[index % beginnings.length] ?? '';
    const socket = dial(world.port);
    socket.write(bytes);
    return listen(socket, bytes);
  });
  const meanwhile = await world.call('GET', '/health/live');
  const ended = await Promise.all(stalled);

  expect(meanwhile.status).toBe(200);
  expect(ended.every(({ isClosed }) => isClosed)).toBe(true);
  expect(ended.map(({ answers }) => answers[0]?.status)).toEqual(Array(200).fill(408));
  expect(world.log.filter(({ problem }) => problem === 'request-timeout')).toHaveLength(200);
});

test('answers requests that arrived while the process could not read them', async () => {
  const limits = { headersMs: 2_000, requestMs: 2_500, checkMs: 20 };
  await using world = await openWorld({ limits });
  const bytes = request('GET /health/live');

  const socket = dial(world.port);
  await once(socket, 'connect');
  await world.call('GET', '/health/live'); // the server has accepted both connections
  await immediate();

  socket.write(bytes);
  blockFor(limits.requestMs + 500);
  const { answers } = await listen(socket, bytes);

  expect(answers.map(({ status }) => status)).toEqual([200]);
  socket.destroy();
});

describe('the limits of a request', () => {
  const checkMs = 1_000;
  const open = () => {
    const clock = { now: 0 };
    const server = { headersTimeout: 5_000, requestTimeout: 10_000 };
    allowForPauses(server, { checkMs, elapsed: () => clock.now });
    return { clock, server };
  };

  test('stay the same while the process runs', () => {
    const { clock, server } = open();

    const seen = [1, 2, 3].map((check) => {
      clock.now = check * checkMs;
      return [server.headersTimeout, server.requestTimeout];
    });

    expect(seen).toEqual(Array(3).fill([5_000, 10_000]));
  });

  test('are longer at the check after a pause, at each read of it, and not at the next', () => {
    const { clock, server } = open();
    clock.now = checkMs;
    expect(server.headersTimeout).toBe(5_000);

    clock.now += checkMs + 7_000;
    const after = [server.headersTimeout, server.headersTimeout, server.requestTimeout];
    clock.now += checkMs;
    const next = [server.headersTimeout, server.requestTimeout];

    expect(after).toEqual([12_000, 12_000, 17_000]);
    expect(next).toEqual([5_000, 10_000]);
  });

  test('can be changed', () => {
    const { server } = open();

    server.headersTimeout = 1_000;

    expect([server.headersTimeout, server.requestTimeout]).toEqual([1_000, 10_000]);
  });
});

test('closes the connection of a caller who does not read the answers', async () => {
  await using world = await openWorld({ limits: { silentMs: 200, checkMs: 20 } });
  const socket = dial(world.port).pause();
  const isClosed = new Promise((resolve) => {
    world.app.server.once('connection', (connection) => connection.once('close', resolve));
  });

  socket.write(request('GET /openapi.json').repeat(60)); // more than the buffers of the system hold

  await isClosed;
  socket.destroy();
  await expect.poll(() => world.log.some(({ isAborted }) => isAborted === true)).toBe(true);
});

test('closes a silent connection without an answer', async () => {
  await using world = await openWorld({ limits: { keepAliveMs: 100, checkMs: 20 } });
  const bytes = request('GET /health/live');
  const socket = dial(world.port);

  socket.write(bytes);
  const { answers, isClosed } = await listen(socket, bytes, 2);

  expect(answers.map(({ status }) => status)).toEqual([200]);
  expect(isClosed).toBe(true);
});

/** Blocks the event loop, as if the process did not run. */
function blockFor(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
