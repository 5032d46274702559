import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';

import { awsTimeouts } from '#aws/client/timeouts.ts';
import { openLogs } from './open-logs.ts';

const order = { logGroupName: '/app', from: 0n, to: 1n, destination: 'archive' };

/** A minimal AWS that counts connections, which the emulator does not. */
async function openCountingAws() {
  let connections = 0;
  let most = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      response.end('{"taskId":"of-the-test"}');
    });
  });
  server.on('connection', (socket) => {
    connections += 1;
    server.getConnections((_error, open) => {
      most = Math.max(most, open);
    });
    socket.on('error', () => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  process.env.AWS_ENDPOINT_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  process.env.AWS_ACCESS_KEY_ID = 'AKIDTEST';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret-of-the-test';
  return {
    connections: () => connections,
    most: () => most,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

test('each CreateExportTask has its own connection, even when more calls run at once than connections may be open', async () => {
  await using aws = await openCountingAws();
  using logs = openLogs({ timeouts: awsTimeouts });

  const outcomes = await Promise.all(
    Array.from({ length: 120 }, () => logs.createExportTask(order)),
  );

  expect(outcomes.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(120);
  expect(aws.connections()).toBe(120);
  expect(aws.most()).toBeLessThan(50); // 16, and those that the server has not closed yet
});
