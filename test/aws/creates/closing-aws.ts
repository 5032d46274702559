import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  getCACertificates,
  setDefaultCACertificates,
} from 'node:tls';

import { makeAuthority } from '../../auth/certificates.ts';
import { pointSdkAt } from '../../world.ts';

/** How a connection ends: by a FIN, by a reset, or by TLS (close_notify, then a FIN). */
export type Ending = 'FIN' | 'RST' | 'close_notify';

/** An AWS that closes connections when it is told to. */
export interface ClosingAws extends AsyncDisposable {
  /** How often each task was received, by its name. */
  received: Map<string, number>;
  connections(): number;
  /** Closes every connection now. */
  closeAll(): void;
  /** What it does with the next requests. Default: it answers with a task id. */
  respond: (socket: Socket) => void;
}

export const answerText = (body = '{"taskId":"of-the-test"}', more = '') =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** Opens it, over TLS for close_notify, and points the SDK at it. */
export async function openClosingAws(ending: Ending): Promise<ClosingAws> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const received = new Map<string, number>();

  function accept(socket: Socket): void {
    connections += 1;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const [head = '', body] = text.split('\r\n\r\n');
      if (body === undefined || body.length < Number(/content-length: (\d+)/.exec(head)?.[1]))
        return;
      text = '';
      const { taskName } = JSON.parse(body);
      received.set(taskName, (received.get(taskName) ?? 0) + 1);
      aws.respond(socket);
    });
  }

  const close = (socket: Socket) => (ending === 'RST' ? socket.resetAndDestroy() : socket.end());
  const authority = makeAuthority('closing');
  const identity = authority.issue({ names: [['dns', 'localhost']], use: 'server' });
  const trusted = getCACertificates();
  if (ending === 'close_notify') setDefaultCACertificates([...trusted, authority.cert]);
  const server =
    ending === 'close_notify' ? createTlsServer(identity, accept) : createServer(accept);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  pointSdkAt(`http${ending === 'close_notify' ? 's' : ''}://localhost:${port}`);

  const aws: ClosingAws = {
    received,
    connections: () => connections,
    closeAll() {
      for (const socket of sockets) close(socket);
    },
    respond: (socket) => void socket.write(answerText()),
    async [Symbol.asyncDispose]() {
      setDefaultCACertificates(trusted);
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
  return aws;
}
