import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';

import type { AwsTimeouts } from '../client/timeouts.ts';
import { type HttpAnswer, type ReceivedAnswer, readHttpAnswer } from './http-answer.ts';

/** The peer of a connection. */
export interface Origin {
  protocol: string;
  hostname: string;
  port?: number | undefined;
}

/** A connection that carries one request at a time. */
export interface HttpConnection {
  /** Whether it is open, and no byte and no end has arrived since its last answer. */
  isUsable(): boolean;
  /** Sends a request and resolves with its answer. Throws if the connection is lost or the answer invalid. */
  exchange(request: string, signal: AbortSignal): Promise<HttpAnswer>;
  /** Closes it by itself after `idleMs` without a request. */
  closeWhenIdle(idleMs: number): void;
  close(): void;
}

/** What the connections to one origin share, so that opening one takes half the time. */
export interface SharedTls {
  secureContext: SecureContext;
  /** The last session. The next handshake resumes it. */
  session: Buffer | undefined;
}

/** Makes what the connections to an origin share: nothing without TLS. */
export function makeSharedTls({ protocol }: Origin): SharedTls | undefined {
  if (protocol !== 'https:') return undefined;
  return { secureContext: createSecureContext(), session: undefined };
}

/** Opens a connection. Throws if it cannot be opened: then nothing was sent. */
export async function openHttpConnection(
  { hostname, port }: Origin,
  options: { tls: SharedTls | undefined; timeouts: AwsTimeouts; signal: AbortSignal },
): Promise<HttpConnection> {
  const { tls, timeouts, signal } = options;
  signal.throwIfAborted();
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const socket = tls
    ? connectTls({
        host,
        port: port ?? 443,
        servername: isIP(host) ? '' : host,
        ALPNProtocols: ['http/1.1'],
        secureContext: tls.secureContext,
        session: tls.session,
      })
    : connectTcp({ host, port: port ?? 80 });
  socket.setNoDelay(true);
  socket.on('session', (session: Buffer) => {
    if (tls) tls.session = session;
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (error: Error) => {
    reject(error);
    socket.destroy();
  };
  const abort = () => fail(signal.reason);
  let timer = setTimeout(() => fail(timeoutError('connect')), timeouts.connectMs);
  signal.addEventListener('abort', abort, { once: true });
  socket
    .once('connect', () => {
      clearTimeout(timer);
      if (tls) timer = setTimeout(() => fail(timeoutError('TLS')), timeouts.createMs);
    })
    .once(tls ? 'secureConnect' : 'connect', resolve)
    .once('error', fail)
    .once('close', () => fail(resetError()));
  try {
    await promise;
    return useSocket(socket, timeouts.createMs);
  } catch (error) {
    if (tls) tls.session = undefined; // it may be the reason
    throw error;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

function useSocket(socket: Socket, answerMs: number): HttpConnection {
  let isOpen = true;
  let received: Buffer[] = [];
  let waiting: PromiseWithResolvers<HttpAnswer> | undefined;

  function close(error: Error = resetError()): void {
    isOpen = false;
    socket.destroy();
    waiting?.reject(error);
    waiting = undefined;
  }

  function finish({ answer, isConnectionReusable }: ReceivedAnswer): void {
    waiting?.resolve(answer);
    waiting = undefined;
    if (!isConnectionReusable) close();
  }

  function read(isEnded: boolean): void {
    try {
      if (!waiting) throw resetError(); // nobody asked for bytes, or the peer closes an idle connection
      const answer = readHttpAnswer(Buffer.concat(received), isEnded);
      if (answer) finish(answer);
      else if (isEnded) close();
    } catch (error) {
      close(error as Error);
    }
  }

  socket
    .on('data', (bytes: Buffer) => {
      received.push(bytes);
      read(false);
    })
    .on('end', () => read(true))
    .on('error', close)
    .on('timeout', () => close())
    .on('close', () => close());

  return {
    isUsable: () => isOpen && socket.writable && !waiting,
    async exchange(request, signal) {
      const abort = () => close(signal.reason);
      const timer = setTimeout(() => close(timeoutError('answer')), answerMs);
      signal.addEventListener('abort', abort, { once: true });
      waiting = Promise.withResolvers<HttpAnswer>();
      received = [];
      socket.setTimeout(0);
      socket.write(request);
      try {
        return await waiting.promise;
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      }
    },
    closeWhenIdle: (idleMs) => void socket.setTimeout(idleMs),
    close: () => close(),
  };
}

function timeoutError(what: string): Error {
  return Object.assign(new Error(`AWS did not respond in time (${what})`), {
    name: 'TimeoutError',
  });
}

function resetError(): Error {
  return Object.assign(new Error('The connection to AWS was closed'), { code: 'ECONNRESET' });
}
