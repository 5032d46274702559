import { type IncomingMessage, request as makeRequest } from 'node:http';
import type { Socket } from 'node:net';
import { buildQueryString, type IHttpRequest } from '@smithy/core/protocols';

/** An answer of HTTP. */
export interface HttpAnswer {
  statusCode: number;
  /** By name in lower case. */
  headers: Record<string, string>;
  body: Buffer;
}

/** A connection that carries one request at a time. */
export interface HttpConnection {
  /** Whether it is open, and no byte and no end has arrived since its last answer. */
  isUsable(): boolean;
  /** Sends a request and resolves with its answer. Throws if the connection is lost or the answer invalid. */
  exchange(request: IHttpRequest, signal: AbortSignal): Promise<HttpAnswer>;
  /** Closes it by itself after `idleMs` without a request. */
  closeWhenIdle(idleMs: number): void;
  close(): void;
}

/**
 * The longest answer to a create. It has some hundred bytes. Fewer: a long message of AWS ends as an unknown
 * outcome. More: a peer that is not AWS fills the memory.
 */
export const maxBodyBytes = 256 * 1_024;

// The peer announces an idle time that leaves too little room above that of our connections.
const closesSoon = /\btimeout=[0-3]\b/i;

/**
 * Makes a connection of an open socket, for the HTTP client of Node. It writes a request in the turn of the
 * event loop in which it gets it. It closes the socket after an answer that does not permit another request.
 */
export function useSocket(socket: Socket, answerMs: number): HttpConnection {
  let mayReceive = () => false;
  socket
    .on('data', () => {
      if (!mayReceive()) socket.destroy(); // nobody asked for these bytes
    })
    .on('timeout', () => socket.destroy());

  return {
    isUsable: () => socket.writable,
    exchange(request, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
      const sent = makeRequest({
        createConnection: () => socket,
        method: request.method,
        path: pathOf(request),
        // Node keeps a connection that has no agent only with this header.
        headers: { ...request.headers, connection: 'keep-alive' },
      });
      const abort = () => sent.destroy(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
      const timer = setTimeout(() => sent.destroy(timeoutError('answer')), answerMs);
      let error: Error | undefined;
      let answer: HttpAnswer | undefined;
      mayReceive = () => true;
      socket.setTimeout(0);
      sent
        .on('error', (first) => {
          error ??= first;
        })
        .on('response', (response) => {
          mayReceive = () => !response.complete;
          readAnswer(response, (read) => {
            answer = read;
            const { statusCode, headers } = read;
            const isLast = statusCode === 101 || closesSoon.test(headers['keep-alive'] ?? '');
            if (isLast) socket.destroy();
          });
        })
        .on('close', () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', abort);
          if (answer) resolve(answer);
          else reject(error ?? new Error('The answer of AWS is incomplete'));
        })
        .end(request.body);
      return promise;
    },
    closeWhenIdle: (idleMs) => void socket.setTimeout(idleMs),
    close: () => void socket.destroy(),
  };
}

function pathOf({ path, query = {} }: IHttpRequest): string {
  const search = buildQueryString(query);
  return search === '' ? path : `${path}?${search}`;
}

function readAnswer(response: IncomingMessage, receive: (answer: HttpAnswer) => void): void {
  const { statusCode = 0 } = response;
  const headers = response.headers as Record<string, string>; // only Set-Cookie is a list
  const chunks: Buffer[] = [];
  let length = 0;
  response
    .on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBodyBytes) response.destroy(new Error('The answer of AWS is too long'));
    })
    .on('error', () => {}) // its request is closed then, without an answer
    .on('end', () => receive({ statusCode, headers, body: Buffer.concat(chunks) }));
}

/** Makes an error with the name that the SDK gives its own. */
export function timeoutError(what: string): Error {
  return Object.assign(new Error(`AWS did not respond in time (${what})`), {
    name: 'TimeoutError',
  });
}
