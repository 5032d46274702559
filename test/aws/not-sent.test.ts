import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { AwsTimeouts } from '#aws/client/timeouts.ts';
import { makeAuthority } from '../auth/certificates.ts';
import { longTimeouts } from '../aws-timeouts.ts';
import { createBody, pointSdkAt } from '../world.ts';
import { openLogs } from './open-logs.ts';

const task = { ...createBody, from: 0n, to: 1n };
const silenceMs = 3_000; // the timeout for a silent server

/** A server on a free local port. Its connections are destroyed at the end. */
async function listen(server: Server) {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket.on('error', () => {}));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function createAt(url: string, { createMs }: Partial<AwsTimeouts> = {}) {
  pointSdkAt(url);
  const timeouts = { ...longTimeouts, ...(createMs !== undefined && { createMs }) };
  using logs = openLogs({ timeouts });
  return await logs.createExportTask(task);
}

const notSent = {
  outcome: 'not-sent',
  problem: {
    slug: 'aws-unavailable',
    detail: 'This service could not reach AWS. Nothing was sent.',
  },
};

test('a create to a closed port is not-sent', async () => {
  const closed = await listen(createServer());
  await closed[Symbol.asyncDispose]();

  expect(await createAt(`http://127.0.0.1:${closed.port}`)).toMatchObject(notSent);
});

test('a create to an unknown host name is not-sent', async () => {
  expect(await createAt('http://no-such-host.invalid')).toMatchObject(notSent);
});

test.for([
  ['closes the connection', (socket: Socket) => socket.destroy()],
  ['answers something else', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\n\r\n')],
  ['never answers', () => {}],
] as const)('a create is not-sent when the peer of its TLS handshake %s', async ([, respond]) => {
  await using server = await listen(
    createServer((socket) => {
      socket.once('data', () => respond(socket));
    }),
  );

  expect(await createAt(`https://127.0.0.1:${server.port}`, { createMs: silenceMs })).toMatchObject(
    notSent,
  );
});

test('a create to a server with an untrusted certificate is not-sent', async () => {
  let requests = 0;
  const { cert, key } = makeAuthority('stranger').issue({ names: [['ip', '\x7f\0\0\x01']] });
  const https = createHttpsServer({ cert, key }, (_request, response) => {
    requests += 1;
    response.end('{"taskId":"of-a-stranger"}');
  });
  await using server = await listen(https);

  expect(await createAt(`https://127.0.0.1:${server.port}`)).toMatchObject(notSent);
  expect(requests).toBe(0);
});

test('a create without credentials is not-sent', async () => {
  pointSdkAt('http://127.0.0.1:9');
  delete process.env.AWS_ACCESS_KEY_ID;
  using logs = openLogs();

  expect(await logs.createExportTask(task)).toMatchObject({
    outcome: 'not-sent',
    problem: { slug: 'service-role-unusable' },
  });
});

test('a create without a free file descriptor is not-sent', async () => {
  const script = fileURLToPath(new URL('without-descriptors.ts', import.meta.url));
  const child = spawn('sh', ['-c', `ulimit -n 64; exec "${process.execPath}" "${script}"`]);

  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);

  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual({
    code: 'EMFILE',
    outcome: 'not-sent',
    detail: notSent.problem.detail,
  });
});

test.for([
  ['closes the connection', (socket: Socket) => socket.destroy()],
  ['never answers', () => {}],
] as const)('a create is unknown when the server %s after it was sent', async ([, respond]) => {
  await using server = await listen(
    createServer((socket) => {
      socket.once('data', () => respond(socket));
    }),
  );

  expect(await createAt(`http://127.0.0.1:${server.port}`, { createMs: silenceMs })).toMatchObject({
    outcome: 'unknown',
  });
});
