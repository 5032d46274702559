import { once } from 'node:events';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';

import { sendRequest } from '#outbound/send-request.ts';

// Its thread accepts nothing until it is released, so the queue of connections fills up.
const receiver = `
const { workerData, parentPort } = require('node:worker_threads');
const server = require('node:http').createServer((request, response) => response.writeHead(204).end());
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => {
    Atomics.wait(workerData, 0, 0);
  });
});
`;

test('waits for a slow connection also if the name has another address, which is not reachable', async () => {
  const released = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(receiver, { eval: true, workerData: released });
  const [port] = await once(worker, 'message');
  // Linux drops what does not fit into the queue, and the client sends it again after a second.
  const others = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
  await Promise.all(others.map((socket) => once(socket, 'connect')));

  const result = sendRequest(
    { url: new URL(`http://receiver.test:${port}/`), method: 'POST', body: '{}' },
    {
      lookup: async () => [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ],
      isAllowed: () => true,
      deadline: () => new AbortController().signal,
    },
  );
  setImmediate(() => {
    Atomics.store(released, 0, 1);
    Atomics.notify(released, 0);
  });

  expect(await result).toMatchObject({ outcome: 'answered', status: 204 });
  for (const socket of others) socket.destroy();
  await worker.terminate();
});
