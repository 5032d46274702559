import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import type { Log } from '../log.ts';
import type { Metrics } from './open-metrics.ts';

// Prometheus sends a few hundred bytes at once, and reads the answer at once.
const limits = {
  maxHeaderSize: 8_192,
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  // Longer than the usual pauses between two scrapes.
  keepAliveTimeout: 75_000,
  requireHostHeader: false, // Node would answer such requests by itself, any number of them
};
// Fewer: replicas of Prometheus exclude each other. More: each connection takes memory.
const maxConnections = 32;
// The answers that are being sent at once. Each may be a megabyte for a client that does not read it.
const maxAnswers = 4;
// The usual time limit of a scrape.
const answerMs = 10_000;

const plainText = 'text/plain; charset=utf-8';

/** The server of the metrics. */
export interface MetricsListener extends AsyncDisposable {
  /** Its URL. */
  url: string;
}

/** What the server of the metrics depends on. */
export interface MetricsListenerOptions {
  host: string;
  port: number;
  log: Pick<Log, 'error'>;
  /** Closes a connection, and ignores the requests that have arrived on it. */
  closeAtOnce: (socket: Socket) => void;
}

/**
 * Serves the metrics at `/metrics`, without authentication. Scrapes at the same time get the same text.
 * @throws the error of `listen`
 */
export async function openMetricsListener(
  { render, contentType }: Pick<Metrics, 'render' | 'contentType'>,
  { host, port, log, closeAtOnce }: MetricsListenerOptions,
): Promise<MetricsListener> {
  let rendering: Promise<string> | undefined;
  let answers = 0;

  async function answer(response: ServerResponse): Promise<void> {
    if (answers === maxAnswers) {
      return refuse(response, 503, 'Too many scrapes at once.', { 'retry-after': '1' });
    }
    answers += 1;
    const timer = setTimeout(() => response.destroy(), answerMs);
    response.once('close', () => {
      answers -= 1;
      clearTimeout(timer);
    });
    rendering ??= render().finally(() => {
      rendering = undefined;
    });
    try {
      end(response, 200, contentType, await rendering);
    } catch (err) {
      log.error({ err }, 'failed to render the metrics');
      refuse(response, 500, 'The metrics could not be rendered.');
    }
  }

  const handle: RequestListener = ({ method, url = '', socket }, response) => {
    // It waits behind another answer. Prometheus sends no such request; thousands of them fill the memory.
    if (!response.socket) return closeAtOnce(socket);
    const [path] = url.split('?', 1);
    if (path !== '/metrics') return refuse(response, 404, 'The metrics are at /metrics.');
    if (method !== 'GET' && method !== 'HEAD') {
      return refuse(response, 405, 'This path allows GET, HEAD.', { allow: 'GET, HEAD' });
    }
    void answer(response);
  };

  const server = createServer(limits, handle);
  server.on('checkExpectation', handle);
  server.maxConnections = maxConnections;
  server.on('clientError', (_error, socket) => socket.destroy());
  const listening = Promise.withResolvers<void>();
  server.on('error', listening.reject); // a later one, such as too many open files, ends nothing
  server.listen({ host, port }, listening.resolve);
  await listening.promise;
  const { address, family, port: opened } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${opened}/metrics`,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<unknown>();
      server.close(closed.resolve);
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

function refuse(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string> = {},
): void {
  end(response, status, plainText, `${text}\n`, { ...headers, connection: 'close' });
}

// A HEAD request gets the headers alone: Node leaves the text out.
function end(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
  headers: Record<string, string> = {},
): void {
  const length = Buffer.byteLength(text);
  response.writeHead(status, {
    ...headers,
    'content-type': type,
    'content-length': length,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
