import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer, Delivery, WireRequest } from './exchange.ts';

/** A listening socket. `close` closes all connections, also those without an answer. */
export interface Server {
  port: number;
  close(): Promise<void>;
}

/** Opens the port and passes each complete request to `handle`. Port 0 takes any free port. */
export async function openServer(
  { host, port }: { host: string; port: number },
  handle: (request: WireRequest) => Promise<Delivery>,
): Promise<Server> {
  const server = createServer(async (incoming, response) => {
    const body = await readBody(incoming);
    if (body === undefined) return;
    try {
      deliver(await handle(readRequest(incoming, body)), response);
    } catch (error) {
      // A defect of the emulator: the client sees it, and other requests continue.
      response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error));
    }
  });
  // If an idle connection were closed just when the client reuses it, the test would see a fault that
  // it did not ask for.
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

// An upload may be large. A larger body would fill the memory of a small machine.
const maxBodyBytes = 128 * 1024 * 1024;

/** Returns undefined if the client disconnects early, or if the body is too large. */
function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes > maxBodyBytes) incoming.destroy();
      else chunks.push(chunk);
    });
    incoming.on('end', () => resolve(Buffer.concat(chunks)));
    incoming.on('close', () => resolve(undefined));
    incoming.on('error', () => resolve(undefined));
  });
}

function readRequest(incoming: IncomingMessage, body: Buffer): WireRequest {
  const target = incoming.url ?? '/';
  const queryAt = target.indexOf('?');
  return {
    method: incoming.method ?? 'GET',
    path: queryAt < 0 ? target : target.slice(0, queryAt),
    query: new URLSearchParams(queryAt < 0 ? '' : target.slice(queryAt + 1)),
    headers: incoming.headers,
    body,
  };
}

function deliver(delivery: Delivery, response: ServerResponse): void {
  switch (delivery.how) {
    case 'answer':
      writeHead(delivery.answer, response);
      response.end(delivery.answer.body);
      return;
    case 'cut':
    case 'stall': {
      const { body } = delivery.answer;
      writeHead(delivery.answer, response);
      const half = body.slice(0, Math.floor(body.length / 2));
      response.write(half, () => {
        if (delivery.how === 'cut') response.destroy();
      });
      return;
    }
    case 'reset':
      response.socket?.resetAndDestroy();
      return;
    case 'silence':
      // The socket stays open until the client or the emulator closes it.
      return;
  }
}

function writeHead({ status, headers, body }: Answer, response: ServerResponse): void {
  // These have no body, so they must not have a length.
  const length =
    status === 204 || status === 304 ? undefined : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...length, ...headers });
}
