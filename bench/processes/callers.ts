import { connect } from 'node:net';

import { createText, order } from '../order.ts';
import { Refused, type Round, runRound } from '../round.ts';

/** A round of HTTP calls; each caller keeps its connection and goes through `requests` in turn. */
export interface HttpRound extends Round {
  url: string;
  requests: (keyof typeof requestTexts)[];
  /** What is shown until an answer names another place. */
  location?: string;
  /** Who creates; nobody in particular when absent. */
  token?: string;
}

let anew = 1;

/** What a caller sends, and remembers of the answers so far. */
interface Memory {
  create: string;
  location: string;
  etag: string;
}

const host = 'Host: 127.0.0.1\r\n';
const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\n${host}${headers}\r\n`;

/** The text of each request; `location` is where the caller's last task is shown. */
const requestTexts = {
  create: ({ create }: Memory) => create,
  /** Each time another window, so that nothing decided before is of use. */
  createAnother: ({ create }: Memory) =>
    create.replace(String(order.to), String(order.to - anew++)),
  show: ({ location }: Memory) => get(location),
  showNews: ({ location, etag }: Memory) => get(location, `If-None-Match: ${etag}\r\n`),
  list: () => get('/export-tasks?limit=10'),
  live: () => get('/health/live'),
};

process.on('disconnect', () => process.exit());
process.on('message', async ({ url, requests, location = '', token, ...round }: HttpRound) => {
  const create = createText(token);
  const callers = Array.from({ length: round.parallel }, () =>
    openCaller(new URL(url), requests, { create, location, etag: '' }),
  );
  const result = await runRound(round, async (index) => callers[index]?.callNext());
  for (const { socket } of callers) socket.destroy();
  process.send?.(result);
});
process.send?.({});

/**
 * One kept connection, one call at a time. Written on the socket, because an HTTP client takes as
 * much of the core as the server it is to load.
 */
function openCaller({ hostname, port }: URL, requests: HttpRound['requests'], memory: Memory) {
  const socket = connect(Number(port), hostname).setNoDelay(true).setEncoding('latin1');
  let waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  let received = '';
  let turn = 0;

  socket.on('data', (chunk: string) => {
    received += chunk;
    const headEnd = received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(received)?.[1]);
    if (received.length < headEnd + 4 + length) return;
    const answer = received;
    received = '';
    memory.location = /\r\nlocation: (\S+)/i.exec(answer)?.[1] ?? memory.location;
    memory.etag = /\r\netag: (\S+)/i.exec(answer)?.[1] ?? memory.etag;
    if (/^HTTP\/1\.1 (?:20|304)/.test(answer)) waiting?.resolve();
    else waiting?.reject(/^HTTP\/1\.1 50[34]/.test(answer) ? new Refused() : new Error(answer));
  });
  socket.on('error', (error) => waiting?.reject(error));
  socket.on('close', () => waiting?.reject(new Error('The connection was closed.')));

  return {
    socket,
    callNext: () =>
      new Promise<void>((resolve, reject) => {
        waiting = { resolve, reject };
        const request = requests[turn++ % requests.length] ?? 'live';
        socket.write(requestTexts[request](memory));
      }),
  };
}
