import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';

import { makeAuthority } from '../../test/auth/certificates.ts';

/** The message of this process when it is ready. */
export interface TlsAwsReady {
  url: string;
  /** The certificate of its authority, in PEM. */
  authority: string;
}

/** What it has received so far. */
export interface TlsAwsRecord {
  creates: number;
  connections: number;
}

// AWS over TLS that accepts every create at once. It answers on the socket directly: an HTTP server would
// use more CPU than the callers leave on its core.
const record: TlsAwsRecord = { creates: 0, connections: 0 };
const authority = makeAuthority('bench');
const { cert, key } = authority.issue({ names: [['dns', 'localhost']], use: 'server' });

const server = createServer({ cert, key }, (socket) => {
  record.connections += 1;
  socket.on('error', () => {}).setNoDelay(true);
  let received = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk;
    for (;;) {
      const headEnd = received.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(received)?.[1] ?? 0);
      if (received.length < headEnd + 4 + length) return;
      received = received.slice(headEnd + 4 + length);
      answer(socket);
    }
  });
});

function answer(socket: TLSSocket) {
  record.creates += 1;
  const body = JSON.stringify({ taskId: randomUUID() });
  const head = [
    'HTTP/1.1 200 OK',
    `x-amzn-RequestId: ${randomUUID()}`,
    'Content-Type: application/x-amz-json-1.1',
    `Content-Length: ${body.length}`,
    `Date: ${new Date().toUTCString()}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
}

await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address() as AddressInfo;
process.on('disconnect', () => process.exit());
process.on('message', () => process.send?.(record));
process.send?.({
  url: `https://localhost:${port}`,
  authority: authority.cert,
} satisfies TlsAwsReady);
