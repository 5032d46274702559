import { connect } from 'node:net';

import { createBody, createText } from '../requests.ts';
import { Refused, type Round, runRound } from '../round.ts';

/** A round of HTTP calls. Each caller keeps its connection and repeats `requests` in order. */
export interface HttpRound extends Round {
  url: string;
  requests: (keyof typeof requestTexts)[];
  /** The path to read until an answer has another Location. Default: the list of tasks. */
  location?: string;
  /** The credential of creates, as a header field. Default: none. */
  credential?: string;
}

let uncachedCreates = 1;

/** The create request of a caller, and the headers of its last answers. */
interface CallerState {
  create: string;
  location: string;
  etag: string;
}

const list = '/export-tasks?limit=10';
const host = 'Host: 127.0.0.1\r\n';
const get = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\n${host}${headers}\r\n`;

/** The text of each request. `location` is the path of the last task of the caller. */
const requestTexts = {
  create: ({ create }: CallerState) => create,
  /** With a different window each time, so that no cached decision applies. */
  createUncached: ({ create }: CallerState) =>
    create.replace(String(createBody.to), String(createBody.to - uncachedCreates++)),
  read: ({ location }: CallerState) => get(location),
  readIfChanged: ({ location, etag }: CallerState) => get(location, `If-None-Match: ${etag}\r\n`),
  list: () => get(list),
  live: () => get('/health/live'),
};

process.on('disconnect', () => process.exit());
process.on(
  'message',
  async ({ url, requests, location = list, credential, ...round }: HttpRound) => {
    const create = createText(credential);
    const callers = Array.from({ length: round.parallel }, () =>
      openCaller(new URL(url), requests, { create, location, etag: '' }),
    );
    const result = await runRound(round, async (index) => callers[index]?.callNext());
    for (const { socket } of callers) socket.destroy();
    process.send?.(result);
  },
);
process.send?.({});

/**
 * One kept connection, one call at a time. It writes to the socket directly: an HTTP client would use as
 * much CPU as the server under load.
 */
function openCaller({ hostname, port }: URL, requests: HttpRound['requests'], state: CallerState) {
  const socket = connect(Number(port), hostname).setNoDelay(true).setEncoding('latin1');
  let waiting: { resolve: () => void; reject: (error: Error) => void } | undefined;
  let received = '';
  let sent = 0;

  socket.on('data', (chunk: string) => {
    received += chunk;
    const headEnd = received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(received)?.[1]);
    if (received.length < headEnd + 4 + length) return;
    const answer = received;
    received = '';
    state.location = /\r\nlocation: (\S+)/i.exec(answer)?.[1] ?? state.location;
    state.etag = /\r\netag: (\S+)/i.exec(answer)?.[1] ?? state.etag;
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
        const request = requests[sent++ % requests.length] ?? 'live';
        socket.write(requestTexts[request](state));
      }),
  };
}
