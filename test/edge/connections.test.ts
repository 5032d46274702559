import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';

import { openTlsFiles } from '../auth/tls-client.ts';
import { openWorld, type World } from '../world.ts';
import { dial, listen, request, talk } from './raw.ts';

/** Opens a connection without a request in flight. */
async function openIdle(
  port: number,
  open: typeof dial = dial,
): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const socket = open(port);
  const bytes = request('GET /health/live');
  const closed = new Promise((resolve) => void socket.once('close', resolve));
  socket.write(bytes);
  const { answers } = await listen(socket, bytes);
  expect(answers.map(({ status }) => status)).toEqual([200]);
  return { socket, closed };
}

const create = request('POST /export-tasks', {
  'Content-Type': 'application/json',
  'Content-Length': '100',
  Expect: '100-continue',
});

/** Opens a connection with a request whose body does not come. */
async function openBusy(port: number, open: typeof dial = dial): Promise<Socket> {
  const socket = open(port);
  socket.write(create);
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toContain('100 Continue');
  return socket;
}

/** Opens a connection with TLS; later errors are ignored. */
const dialTls = (port: number) =>
  connect({ port, host: '127.0.0.1', rejectUnauthorized: false }).on('error', () => {});

const crowded = 'closed a connection, because too many are open';
const unreadClosed = 'closed a connection, because too many bytes of answers are not read';
const bundle = 'swagger-ui-bundle.js';

test('a new connection takes the place of the one that is idle longest', async () => {
  await using world = await openWorld({ limits: { idleConnections: 2 } });
  const busy = await openBusy(world.port);
  const first = await openIdle(world.port);
  const second = await openIdle(world.port);

  const third = await openIdle(world.port);
  await first.closed;
  const fourth = await openIdle(world.port);
  await second.closed;

  for (const socket of [busy, third.socket, fourth.socket]) {
    expect(socket.closed).toBe(false);
    socket.destroy();
  }
  expect(world.log.filter(({ msg }) => msg === crowded)).toMatchObject([{ open: 4 }]);
});

test('with TLS, a request in flight keeps its connection, too', async () => {
  await using files = await openTlsFiles();
  await using world = await openWorld({ tls: files.tls, limits: { idleConnections: 1 } });
  const busy = await openBusy(world.port, dialTls);
  const first = await openIdle(world.port, dialTls);

  const second = await openIdle(world.port, dialTls);
  await first.closed;

  for (const socket of [busy, second.socket]) {
    expect(socket.closed).toBe(false);
    socket.destroy();
  }
});

test('a pipelined request in flight keeps its connection', async () => {
  await using world = await openWorld({ limits: { idleConnections: 1 } });
  const busy = dial(world.port);
  busy.write(request('GET /health/live') + create);
  await expect.poll(() => String(busy.read() ?? ''), { interval: 5 }).toContain('100 Continue');
  const first = await openIdle(world.port);

  const second = await openIdle(world.port);
  await first.closed;

  for (const socket of [busy, second.socket]) {
    expect(socket.closed).toBe(false);
    socket.destroy();
  }
});

test('a connection that has answered a request is idle for a shorter time than one without', async () => {
  await using world = await openWorld({ limits: { idleConnections: 2 } });
  const first = await openIdle(world.port);
  const second = await openIdle(world.port);
  const bytes = request('GET /health/live');
  first.socket.write(bytes);
  await listen(first.socket, bytes);

  const third = await openIdle(world.port);
  await second.closed;

  expect(first.socket.closed).toBe(false);
  for (const { socket } of [first, third]) socket.destroy();
});

test('a new connection is closed while all others have requests in flight', async () => {
  await using world = await openWorld({ limits: { connections: 2 } });
  const busy = [await openBusy(world.port), await openBusy(world.port)];

  const refused = dial(world.port).resume();
  await once(refused, 'close');

  expect(busy.map(({ closed }) => closed)).toEqual([false, false]);
  for (const socket of busy) socket.destroy();
});

test('a client that does not read gives its place to a new one while all others are busy', async () => {
  await using world = await openWorld({ limits: { connections: 2, unreadCheckMs: 20 } });
  const busy = await openBusy(world.port);
  const slow = dial(world.port).pause();
  slow.write(request('GET /openapi.json').repeat(60)); // more than the buffers of the system hold
  const isClosed = new Promise((resolve) => {
    world.app.server.once('connection', (socket) => socket.once('close', resolve));
  });
  const bytes = request('GET /health/live', { Connection: 'close' });
  const askAnew = async () => {
    const socket = dial(world.port);
    socket.write(bytes);
    return (await listen(socket, bytes)).answers[0]?.status;
  };

  await expect.poll(askAnew).toBe(200); // at the latest when its bytes have been counted
  await isClosed;

  expect(busy.closed).toBe(false);
  for (const each of [busy, slow]) each.destroy();
});

/** Counts the requests that Node parses for a world. */
function countParsed({ app }: World): { count: number } & Disposable {
  const start = 'http.server.request.start';
  const isOwn = (message: unknown) => (message as { server: unknown }).server === app.server;
  const parsed = {
    count: 0,
    [Symbol.dispose]: () => void unsubscribe(start, add),
  };
  function add(message: unknown): void {
    if (isOwn(message)) parsed.count += 1;
  }
  subscribe(start, add);
  return parsed;
}

/** Whether the gateway has begun to answer a request. */
const isHandled = (response: ServerResponse) => response.hasHeader('x-request-id');

const pipelinedClosed = 'closed a connection, because too many pipelined requests wait';

describe.each([
  ['HTTP', false, dial],
  ['HTTPS', true, dialTls],
] as const)('pipelined requests over %s', (_name, isTls, open) => {
  test.each([
    ['usual ones', request('GET /health/live')],
    ['paths that cannot be decoded', request('GET /%zz')],
    ['unknown expectations', request('GET /health/live', { Expect: 'more' })],
    ['expected bodies', request('POST /health/live', { Expect: '100-continue' })],
  ])(
    'close their connection above its limit, and the rest is not parsed: %s',
    async (_kind, bytes) => {
      await using files = await openTlsFiles();
      const limits = { connectionRequests: 10 };
      let handled = 0;
      const newId = () => `id-${++handled}`; // a request has one when it is handled
      await using world = await openWorld({ ...(isTls && { tls: files.tls }), limits, newId });
      handled = 0;
      using parsed = countParsed(world);
      const socket = open(world.port);

      socket.write(bytes.repeat(200)); // in one chunk
      await once(socket.resume(), 'close');

      expect([parsed.count, handled]).toEqual([11, 1]);
      expect(world.log.filter(({ msg }) => msg === pipelinedClosed)).toMatchObject([
        { requests: 10, pipelined: 9 },
      ]);
    },
  );
});

test('pipelined requests are answered up to the limit of a connection', async () => {
  await using world = await openWorld({ limits: { connectionRequests: 10 } });

  const { answers } = await talk(world.port, request('GET /health/live').repeat(10), 10);

  expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
});

test('a pipelined request is handled when those before it are answered', async () => {
  await using world = await openWorld();
  const responses = responsesOf(world);
  const bytes = request('GET /openapi.json').repeat(20); // more than the buffers of the system hold
  const socket = dial(world.port).pause();
  socket.write(bytes);
  await untilStuck(responses);

  const handled = responses.filter(isHandled).map(({ closed }) => closed);
  const read = listen(socket, bytes, 20);
  socket.resume();

  expect(responses).toHaveLength(20);
  expect(handled.filter((isAnswered) => !isAnswered)).toHaveLength(1);
  expect((await read).answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
});

test('pipelined requests of all connections have a limit, and other requests do not count', async () => {
  await using world = await openWorld({ limits: { pipelinedRequests: 20 } });
  const bytes = request('GET /health/live').repeat(20);
  const responses = responsesOf(world);
  const slow = dial(world.port).pause();
  slow.write(request('GET /openapi.json').repeat(20)); // more than the buffers of the system hold
  await untilStuck(responses);

  const refused = await talk(world.port, bytes, 20);
  const usual = await talk(world.port, request('GET /health/live'));
  slow.destroy();
  await expect.poll(() => responses.every(({ closed }) => closed)).toBe(true);
  const accepted = await talk(world.port, bytes, 20);

  expect(refused).toEqual({ answers: [], isClosed: true });
  expect([usual.answers.length, accepted.answers.length]).toEqual([1, 20]);
});

test('the answers that wait longest for their clients lose their connections when all have too many bytes', async () => {
  const limits = { unreadBytes: 150_000, unreadCheckMs: 20 }; // of each connection, 64 KiB wait
  await using world = await openWorld({ limits });
  const bytes = request('GET /openapi.json');
  const unread: Promise<unknown>[] = [];
  const sockets: Socket[] = [];
  world.app.server.on('connection', (socket) => unread.push(once(socket, 'close')));

  for (let count = 0; count < 3; count += 1) {
    const socket = dial(world.port).pause();
    socket.write(bytes.repeat(20)); // more than the buffers of the system hold
    sockets.push(socket);
    await once(socket, 'connect');
  }
  await expect.poll(() => unread.length).toBe(3);
  await Promise.race(unread);
  const { status, text } = await world.call('GET', '/openapi.json');

  expect(status).toBe(200);
  expect(JSON.parse(text)).toHaveProperty('openapi');
  expect(world.log).toContainEqual(
    expect.objectContaining({
      msg: unreadClosed,
    }),
  );
  for (const socket of sockets) socket.destroy();
});

test('a client that reads nothing loses its connection before one that reads slowly', async () => {
  const limits = { unreadBytes: 150_000, unreadCheckMs: 20 }; // of each connection, 64 KiB wait
  await using world = await openWorld({ limits });
  const responses = responsesOf(world);
  const closed: string[] = [];
  const bytes = request(`GET /docs/static/${bundle}`);
  const openUnread = async (name: string) => {
    const socket = dial(world.port).pause();
    const [accepted] = await once(world.app.server, 'connection');
    const destroy = accepted.destroy.bind(accepted); // events of closed sockets come in any order
    accepted.destroy = () => {
      closed.push(name);
      return destroy();
    };
    socket.write(bytes.repeat(20)); // more than the buffers of the system hold
    return { socket, accepted };
  };

  const slow = await openUnread('slow');
  await untilStuck(responses);
  const stuck = await openUnread('stuck');
  await untilStuck(responses);
  const left = () => slow.accepted.bytesWritten - slow.accepted.writableLength;
  const before = left();
  const readSome = () => {
    slow.socket.read();
    return left();
  };
  await expect.poll(readSome, { interval: 5 }).toBeGreaterThan(before);
  const last = await openUnread('last');
  await expect.poll(() => closed.length).toBeGreaterThan(0);

  expect(closed[0]).toBe('stuck');
  for (const { socket } of [slow, stuck, last]) socket.destroy();
});

/** Counts the descriptors of this process that are open for a file of Swagger UI. */
function countOpenFiles(): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // that of the list itself
    }
  });
  return targets.filter((target) => target.endsWith(bundle)).length;
}

/** Collects the responses of a world from now on. */
function responsesOf({ app }: World): ServerResponse[] {
  const responses: ServerResponse[] = [];
  app.server.on('request', (_request, response) => responses.push(response));
  return responses;
}

/** Waits until some bytes of responses wait for their clients, and none has left for a while. */
async function untilStuck(responses: readonly ServerResponse[]): Promise<void> {
  let before = '';
  const isStuck = () => {
    const left = responses.map(({ writableLength }) => writableLength).join();
    const isSame = left === before && /[1-9]/.test(left);
    before = left;
    return isSame;
  };
  await expect.poll(isStuck, { interval: 100 }).toBe(true);
}

const paths = [`/docs/static/${bundle}`, '/openapi.json', '/openapi.yaml'];

describe.each([
  ['HTTP', false, dial],
  ['HTTPS', true, dialTls],
] as const)('a large public answer over %s', (_name, isTls, open) => {
  test.each(paths)('takes little memory while nobody reads it: %s', async (path) => {
    await using files = await openTlsFiles();
    await using world = await openWorld(isTls ? { tls: files.tls } : {});
    const responses = responsesOf(world);
    const socket = open(world.port).pause();
    socket.write(request(`GET ${path}`).repeat(20)); // more than the buffers of the system hold

    await untilStuck(responses);

    expect(countOpenFiles()).toBe(0);
    const waiting = responses.map(({ writableLength }) => writableLength);
    expect(waiting.filter((bytes) => bytes > 131_072)).toEqual([]);
    socket.destroy();
  });
});

test.each(paths)('a large public answer is whole each time, with its length: %s', async (path) => {
  await using world = await openWorld();

  const [first, second] = [await world.call('GET', path), await world.call('GET', path)];

  expect([first.status, second.status]).toEqual([200, 200]);
  expect(second.text).toBe(first.text);
  const length = String(Buffer.byteLength(first.text));
  expect([first, second].map(({ headers }) => headers.get('content-length'))).toEqual([
    length,
    length,
  ]);
});

test('files of Swagger UI are as they are on the disk', async () => {
  await using world = await openWorld();

  const { text } = await world.call('GET', `/docs/static/${bundle}`);

  expect(text).toBe(await readFile(`node_modules/@fastify/swagger-ui/static/${bundle}`, 'utf8'));
});

test.each(paths)('a client may read for longer than an operation may take: %s', async (path) => {
  await using world = await openWorld({ limits: { handlerMs: 1 } });
  const { text } = await world.call('GET', path);
  const socket = dial(world.port).pause();
  const responses = responsesOf(world);
  const bytes = request(`GET ${path}`).repeat(20);
  socket.write(bytes);

  await untilStuck(responses);
  const answered = listen(socket, bytes, 20);
  socket.resume();

  const { answers } = await answered;
  expect(answers.map((answer) => answer.text.length)).toEqual(Array(20).fill(text.length));
  socket.destroy();
});
