import { connect, type Server, type Socket } from 'node:net';
import { expect, test } from 'vitest';

import { type Authenticate, openToAll } from '#auth/access.ts';
import { anonymous } from '#auth/principal.ts';
import { createLevel, otherLevel } from '#edge/overload/load.ts';
import { createBody, openWorld, type WorldOptions } from '../../world.ts';

const jobId = '0191d2f0-7a57-4d0c-9d57-0d1a3f5d9a11';
const creates: [string, string, object][] = [
  ['POST', '/export-tasks', createBody],
  ['POST', '/export-jobs', {}],
  ['POST', `/export-jobs/${jobId}/retry`, {}],
];
const others: [string, string][] = [
  ['POST', '/export-tasks/some-task/cancel'],
  ['POST', `/export-jobs/${jobId}/cancel`],
  ['GET', '/export-tasks'],
  ['GET', '/export-jobs'],
  ['GET', `/export-jobs/${jobId}`],
  ['GET', `/export-jobs/${jobId}/events`],
  ['GET', '/targets'],
];
const open: [string, string][] = [
  ['GET', '/health/live'],
  ['GET', '/health/ready'],
  ['GET', '/problems'],
  ['GET', '/openapi.json'],
  ['GET', '/docs'],
];

/** Opens a world with a given event loop delay. */
async function openLate(options: WorldOptions = {}) {
  const late = { ms: 0 };
  const world = await openWorld({ ...options, jobs: {}, loopDelayMs: () => late.ms });
  return Object.assign(world, {
    late,
    async shed(requests: [string, string, object?][]): Promise<number> {
      const answers = await Promise.all(requests.map((request) => world.call(...request)));
      return answers.filter(({ body }) => body?.type === '/problems/overloaded').length;
    },
  });
}

/** Opens a world in which AWS does not answer the given number of calls, so that requests stay in flight. */
async function openHolding(operation: string, count: number) {
  let known = 0;
  const authenticate: Authenticate = ({ headers }) => {
    if (headers['test-held'] !== undefined) known += 1;
    return anonymous;
  };
  const world = await openLate({
    access: () => ({ ...openToAll, authenticate }),
  });
  world.emulator.faults.add({ kind: 'silence-before', operation, count });
  return Object.assign(world, {
    /** Sends the given number of requests that AWS does not answer; resolves when all are in flight. */
    async hold(requests: number, requestLine: string, body = '') {
      const head = `${requestLine}\r\nHost: test\r\nTest-Held: 1\r\n`;
      const content = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
      const sockets = openSockets(world.port, requests, body ? head + content : `${head}\r\n`);
      await world.waitFor(() => known === requests);
      await new Promise(setImmediate); // the last of them is handled
      return sockets;
    },
  });
}

function openSockets(port: number, count: number, text: string): Socket[] {
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1'));
  for (const socket of sockets) socket.on('error', () => {}).write(text);
  return sockets;
}

test('sheds creates first, then cancels and reads, and never public routes when the event loop is late', async () => {
  await using world = await openLate();
  const shedAt = async (ms: number) => {
    world.late.ms = ms;
    return [await world.shed(creates), await world.shed(others), await world.shed(open)];
  };

  const shed = [
    await shedAt(createLevel.delayMs),
    await shedAt(createLevel.delayMs + 1),
    await shedAt(otherLevel.delayMs),
    await shedAt(otherLevel.delayMs + 1),
    await shedAt(0),
  ];

  expect(shed).toEqual([
    [0, 0, 0],
    [creates.length, 0, 0],
    [creates.length, 0, 0],
    [creates.length, others.length, 0],
    [0, 0, 0],
  ]);
});

test('returns different Retry-After values to shed requests', async () => {
  await using world = await openLate();
  world.late.ms = 1_000;

  const answers = await Promise.all(
    Array.from({ length: 100 }, () => world.call('GET', '/targets')),
  );

  const seconds = new Set(answers.map(({ headers }) => Number(headers.get('retry-after'))));
  expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(503));
  expect([...seconds].sort()).toEqual([1, 2, 3, 4, 5]);
});

test('logs a shed request, but not as an error', async () => {
  await using world = await openLate();
  world.late.ms = 1_000;

  await world.call('POST', '/export-tasks', createBody);

  const [line] = world.log.filter(({ problem }) => problem === 'overloaded');
  expect(line).toMatchObject({ level: 'info', route: '/export-tasks', status: 503 });
});

test('sheds a flood of invalid credentials before authentication', async () => {
  let looked = 0;
  const authenticate = () => {
    looked += 1;
    throw new Error('Nobody looks.');
  };
  await using world = await openLate({ access: () => ({ ...openToAll, authenticate }) });
  world.late.ms = 1_000;

  const shed = await world.shed(creates);

  expect([shed, looked]).toEqual([creates.length, 0]);
});

test('sheds creates while too many are in flight, until their callers leave', async () => {
  await using world = await openHolding('CreateExportTask', createLevel.inFlight);
  const sockets = await world.hold(
    createLevel.inFlight,
    'POST /export-tasks HTTP/1.1',
    JSON.stringify(createBody),
  );

  const whileFull = [await world.shed(creates), await world.shed(others), await world.shed(open)];
  for (const socket of sockets) socket.destroy();
  await world.emulator.close(); // ends the calls that still wait for AWS
  await expect.poll(() => world.shed(creates)).toBe(0);

  expect(whileFull).toEqual([creates.length, 0, 0]);
});

test('does not count requests with an unfinished body as in flight', async () => {
  await using world = await openLate();
  const half =
    'POST /export-tasks HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{';
  const sockets = openSockets(world.port, 2 * createLevel.inFlight, half);
  await expect.poll(() => connectionsOf(world.app.server)).toBeGreaterThanOrEqual(sockets.length);

  const shed = await world.shed(creates);
  for (const socket of sockets) socket.destroy();

  expect(shed).toBe(0);
});

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
}

test('does not count requests whose callers leave before they are authenticated', async () => {
  const authenticated = Promise.withResolvers<void>();
  let held = 0;
  const authenticate: Authenticate = async ({ headers }) => {
    if (headers['test-held'] !== undefined) {
      held += 1;
      await authenticated.promise;
    }
    return anonymous;
  };
  await using world = await openLate({ access: () => ({ ...openToAll, authenticate }) });
  const retry = `POST /export-jobs/${jobId}/retry HTTP/1.1\r\nHost: test\r\nTest-Held: 1\r\n\r\n`;
  const sockets = openSockets(world.port, createLevel.inFlight, retry);
  await world.waitFor(() => held === sockets.length);

  for (const socket of sockets) socket.resetAndDestroy();
  await expect.poll(() => connectionsOf(world.app.server)).toBe(0);
  authenticated.resolve();
  await new Promise(setImmediate);

  expect(await world.shed(creates)).toBe(0);
});

test('does not count answered requests as in flight', async () => {
  await using world = await openLate();

  const statuses = new Set<number>();
  for (let call = 0; call < 2 * createLevel.inFlight; call++) {
    statuses.add((await world.call('POST', '/export-tasks', {})).status);
  }

  expect([...statuses]).toEqual([400]);
});

test('sheds cancels and reads, but no create, while too many reads are in flight', async () => {
  await using world = await openHolding('DescribeExportTasks', 1); // which all share
  const sockets = await world.hold(otherLevel.inFlight, 'GET /export-tasks HTTP/1.1');

  const whileFull = [await world.shed(creates), await world.shed(others), await world.shed(open)];
  for (const socket of sockets) socket.destroy();
  await world.emulator.close();

  expect(whileFull).toEqual([0, others.length, 0]);
});

test('does not count requests that wait for changes as in flight', async () => {
  await using world = await openLate();
  const job = {
    logGroupNames: ['/app'],
    from: createBody.from,
    to: createBody.to,
    sliceBy: 'none',
    destination: 'archive',
  };
  const { headers } = await world.call('POST', '/export-jobs', job);
  const path = headers.get('location');
  const wait = `GET ${path}?wait=30 HTTP/1.1\r\nHost: test\r\n\r\n`;
  const sockets = openSockets(world.port, otherLevel.inFlight, wait);
  await world.waitFor(() => world.waiting() === otherLevel.inFlight);

  const shed = await world.shed(others);
  for (const socket of sockets) socket.destroy();

  expect(shed).toBe(0);
});
