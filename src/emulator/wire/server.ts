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
    deliver(await handle(readRequest(incoming, body)), response);
  });
  // Node would send the real date; AWS clients correct their clock by this header.
  server.on('request', (_, response) => {
    response.sendDate = false;
  });
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

/** Undefined when the client went away before the end. */
async function readBody(incoming: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
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
    case 'cut': {
      const { body } = delivery.answer;
      writeHead(delivery.answer, response);
      const half = body.slice(0, Math.floor(body.length / 2));
      response.write(half, () => response.destroy());
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
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
}
