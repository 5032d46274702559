import { once } from 'node:events';
import { createServer, request as makeRequest } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy that loses answers. */
export interface AnswerDropper extends AsyncDisposable {
  url: string;
  /** How many answers it has lost. */
  dropped(): number;
}

/**
 * Opens a proxy to a URL. It resets the connection instead of the first answer to each create: each call of the SDK has
 * its own invocation id. Whatever the server did has happened.
 */
export async function openAnswerDropper(to: string): Promise<AnswerDropper> {
  const { hostname, port } = new URL(to);
  const seen = new Set<string>();
  let dropped = 0;
  const server = createServer((incoming, outgoing) => {
    const { method, url = '/', headers, socket } = incoming;
    const id = String(headers['amz-sdk-invocation-id']);
    const isCreate = String(headers['x-amz-target']).endsWith('.CreateExportTask');
    const isFirst = isCreate && !seen.has(id);
    seen.add(id);
    const forwarded = makeRequest({ hostname, port, method, path: url, headers }, (answer) => {
      if (isFirst) {
        answer.resume().once('end', () => {
          dropped += 1;
          socket.resetAndDestroy();
        });
        return;
      }
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.once('error', () => socket.resetAndDestroy());
    incoming.pipe(forwarded);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    dropped: () => dropped,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
