import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

import type { Log } from '#telemetry/log.ts';
import { makeOutageLog, type OutageClocks } from '#telemetry/outage-log.ts';
import type { EdgeLimits } from './limits.ts';

/** Tracks connections and requests in flight: it limits what they take, and the service can close in time. */
export interface Connections {
  /** Tracks the connections of a server. */
  follow(server: Server): void;
  /**
   * Tracks a request of a connection until its response closes, and handles it when those before it are answered. With
   * too many in flight, it closes the connection instead.
   */
  admit(socket: Socket, response: ServerResponse, handle: () => void): void;
  /** Sets what ends a tracked request that is not answered in time. */
  begin(response: ServerResponse, answer: () => void): void;
  /** Whether the service is closing: then no connection is kept. */
  isEnding(): boolean;
  /**
   * Begins to close all connections. After `finishMs`, requests without an answer are answered. When no
   * request is in flight, all remaining connections are destroyed: Node closes only idle ones, and its
   * timeouts for headers and bodies end with `server.close()`.
   */
  end(): void;
}

/** What the tracking depends on. */
export interface ConnectionsOptions extends OutageClocks {
  limits: Pick<
    EdgeLimits,
    | 'connections'
    | 'idleConnections'
    | 'connectionRequests'
    | 'pipelinedRequests'
    | 'unreadBytes'
    | 'unreadCheckMs'
    | 'finishMs'
    | 'flushMs'
  >;
  log: Log;
}

// Shorter: each crowd has a line of its own. Longer: two attacks look like one.
const calmMs = 60_000;
// Fewer: a busy process loses answers that it could not send in time. More: it ends later.
const flushSteps = 5;

/** Makes the tracking of connections. */
export function makeConnections({ limits, log, ...clocks }: ConnectionsOptions): Connections {
  const sockets = new Map<string, Socket>();
  /** Those without a request in flight, the longest idle first. */
  const idle = new Set<string>();
  /** Those with requests in flight, and what handles each: the first one is being handled, and the others wait. */
  const busy = new Map<Socket, Map<ServerResponse, () => void>>();
  /** All requests in flight, with what ends them. */
  const inFlight = new Map<ServerResponse, (() => void) | undefined>();
  /** The bytes that have left to each client that is waited for: the longest without progress first. */
  const unread = new Map<Socket, number>();
  const excesses = makeOutageLog({ log, ...clocks, calmMs });
  let isEnding = false;

  const isCrowded = () => idle.size > limits.idleConnections || sockets.size > limits.connections;

  /**
   * Closes the connection that is idle longest. If only the new one is idle, it closes the one whose client has not read
   * for longest instead. If there is none, it closes the new one.
   */
  function makeRoom(): void {
    const [key = ''] = idle;
    const [slowest] = unread.keys();
    if (idle.size === 1 && slowest) slowest.destroy();
    else sockets.get(key)?.destroy();
    if (sockets.get(key)?.destroyed) idle.delete(key);
    const open = sockets.size;
    excesses.failed({ open }, 'closed a connection, because too many are open');
  }

  /** Closes connections while too many bytes wait for clients: first those whose clients have not read for longest. */
  function checkUnread(): void {
    let total = 0;
    for (const [socket, responses] of busy) {
      const bytes = bytesOf(responses);
      total += bytes;
      const left = socket.bytesWritten - socket.writableLength;
      if (bytes === 0 || unread.get(socket) !== left) unread.delete(socket);
      if (bytes > 0) unread.set(socket, left);
    }
    if (total <= limits.unreadBytes) {
      if (!isCrowded()) excesses.worked({}, 'connections are within their limits again');
      return;
    }
    for (const socket of unread.keys()) {
      if (total <= limits.unreadBytes) return;
      total -= bytesOf(busy.get(socket));
      socket.destroy();
      excesses.failed(
        { limit: limits.unreadBytes },
        'closed a connection, because too many bytes of answers are not read',
      );
    }
  }

  /**
   * Destroys all connections after the time for last answers and headers. It waits in steps: on a busy machine, one
   * timer can end before anything was sent or received.
   */
  async function destroySoon(isLast: () => boolean): Promise<void> {
    const options = { ref: false };
    for (let step = 0; step < flushSteps; step += 1)
      await delay(limits.flushMs / flushSteps, undefined, options);
    if (isLast()) for (const socket of sockets.values()) socket.destroy();
  }

  const endWhenIdle = () => {
    if (isEnding && inFlight.size === 0) void destroySoon(() => inFlight.size === 0);
  };

  function endNow(): void {
    for (const answer of inFlight.values()) answer?.();
    void destroySoon(() => true);
  }

  function handleNext(socket: Socket, responses: Map<ServerResponse, () => void>): void {
    const [handle] = responses.values();
    if (!socket.destroyed) {
      handle?.();
      return;
    }
    // Not every version of Node closes the responses that never had the connection.
    for (const response of responses.keys()) inFlight.delete(response);
    responses.clear();
    forget(socket);
  }

  function forget(socket: Socket): void {
    busy.delete(socket);
    unread.delete(socket);
    endWhenIdle();
  }

  return {
    follow(server) {
      const timer = setInterval(checkUnread, limits.unreadCheckMs).unref();
      server.once('close', () => clearInterval(timer));
      server.on('connection', (socket: Socket) => {
        const key = keyOf(socket);
        sockets.set(key, socket);
        idle.add(key);
        socket.once('close', () => {
          if (sockets.get(key) !== socket) return; // its port is in use again
          sockets.delete(key);
          idle.delete(key);
        });
        if (isCrowded()) makeRoom();
      });
    },
    admit(socket, response, handle) {
      if (socket.destroyed) return;
      const responses = busy.get(socket) ?? new Map<ServerResponse, () => void>();
      const pipelined = inFlight.size - busy.size; // all but the first one of each connection
      const isFirst = responses.size === 0;
      if (
        responses.size >= limits.connectionRequests ||
        (!isFirst && pipelined >= limits.pipelinedRequests)
      ) {
        closeAtOnce(socket);
        const facts = { requests: responses.size, pipelined };
        excesses.failed(facts, 'closed a connection, because too many pipelined requests wait');
        return;
      }
      const key = keyOf(socket);
      idle.delete(key);
      busy.set(socket, responses.set(response, handle));
      inFlight.set(response, undefined);
      response.once('close', () => {
        inFlight.delete(response);
        responses.delete(response);
        // Later, so that requests of other connections are handled in between.
        if (responses.size > 0) return void setImmediate(handleNext, socket, responses);
        if (sockets.has(key) && !socket.destroyed) idle.add(key);
        forget(socket);
      });
      if (isFirst) handle();
    },
    begin(response, answer) {
      if (inFlight.has(response)) inFlight.set(response, answer);
    },
    isEnding: () => isEnding,
    end() {
      if (isEnding) return;
      isEnding = true;
      setTimeout(endNow, limits.finishMs).unref();
      endWhenIdle();
    },
  };
}

/** The bytes that wait for a client: only the first of its requests can have an answer. */
function bytesOf(responses: ReadonlyMap<ServerResponse, unknown> | undefined): number {
  const [first] = responses?.keys() ?? [];
  return first?.writableLength ?? 0;
}

/** The socket of a request over TLS is another object than that of its connection, with the same ends. */
const keyOf = ({ localAddress, remoteAddress, remotePort }: Socket) =>
  `${localAddress} ${remoteAddress} ${remotePort}`;

/**
 * Closes a connection, and ignores the requests that have arrived but are not parsed. Node would parse the rest of a
 * chunk: 3,600 requests, which take 1.5 KB each until the connection is closed.
 */
export function closeAtOnce(
  socket: Socket & { parser?: { onIncoming: () => number } | null },
): void {
  socket.destroy();
  // Not documented. With 2, as for an upgrade, the parser stops after the headers.
  if (socket.parser) socket.parser.onIncoming = () => 2;
}
