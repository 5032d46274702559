import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Answer, Delivery, WireRequest } from './exchange.ts';

/** A listening socket; closing it drops every connection, held ones too. */
export interface Server {
  port: number;
  close(): Promise<void>;
}

/** Opens the one port and hands every whole request to `handle`. Port 0 takes any free port. */
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
      // A defect of the emulator: shown to whoever met it, the others go on.
      response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error));
    }
  });
  // Closing an idle connection just as the client uses it again would be a fault nobody played.
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

// A part of an upload may be large; more than this at once would fill the memory of a small machine.
const maxBodyBytes = 128 * 1024 * 1024;

/** Undefined when the client went away before the end, or was sent away for a body too large. */
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
      // The socket stays open until the client closes it or the emulator does.
      return;
  }
}

function writeHead({ status, headers, body }: Answer, response: ServerResponse): void {
  // 204 has no body and so must not tell its length.
  const length = status === 204 ? undefined : { 'content-length': Buffer.byteLength(body) };
  response.writeHead(status, { ...length, ...headers });
}
