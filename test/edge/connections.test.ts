import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';

import { openTlsFiles } from '../auth/tls-client.ts';
import { openWorld } from '../world.ts';
import { dial, listen, request } from './raw.ts';

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

test('the answers that wait longest for their clients lose their connections when all have too many bytes', async () => {
  const limits = { unreadBytes: 500_000, unreadCheckMs: 20 };
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
      msg: 'closed a connection, because too many bytes of answers are not read',
    }),
  );
  for (const socket of sockets) socket.destroy();
});

const bundle = 'swagger-ui-bundle.js';

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

test('files of Swagger UI that nobody reads are sent from memory, and stay closed', async () => {
  await using world = await openWorld();
  const path = `/docs/static/${bundle}`;
  const file = await readFile(`node_modules/@fastify/swagger-ui/static/${bundle}`, 'utf8');
  const sockets: Socket[] = [];

  for (let count = 0; count < 5; count += 1) {
    const socket = dial(world.port);
    socket.write(request(`GET ${path}`));
    await once(socket, 'readable'); // the answer has begun
    sockets.push(socket);
  }
  const open = countOpenFiles();
  const { status, text, headers } = await world.call('GET', path);

  expect(open).toBe(0);
  expect(status).toBe(200);
  expect(text).toBe(file);
  expect(headers.get('content-length')).toBe(String(Buffer.byteLength(file)));
  for (const socket of sockets) socket.destroy();
});
