import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, test } from 'vitest';

import { awsTimeouts } from '#aws/client/timeouts.ts';
import { pointSdkAt } from '../world.ts';
import { openLogs } from './open-logs.ts';

const order = { logGroupName: '/app', from: 0n, to: 1n, destination: 'archive' };

/** A minimal AWS that counts connections, and requests on one that still owes an answer. */
async function openCountingAws() {
  let connections = 0;
  let overlapping = 0;
  const owing = new Set<Socket>();
  const server = createServer((request, response) => {
    const { socket } = request;
    if (owing.has(socket)) overlapping += 1;
    owing.add(socket);
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      response.end('{"taskId":"of-the-test"}', () => owing.delete(socket));
    });
  });
  server.on('connection', (socket) => {
    connections += 1;
    socket.on('error', () => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  pointSdkAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    connections: () => connections,
    overlapping: () => overlapping,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

test('no connection carries two creates at once, even when more calls run at once than connections are open', async () => {
  await using aws = await openCountingAws();
  using logs = openLogs({ timeouts: awsTimeouts });

  const outcomes = await Promise.all(
    Array.from({ length: 120 }, () => logs.createExportTask(order)),
  );

  expect(outcomes.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(120);
  expect(aws.overlapping()).toBe(0);
  expect(aws.connections()).toBe(16); // the calls of one target in flight
});
