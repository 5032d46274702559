import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

import type { EdgeLimits } from './limits.ts';
import {
  makeConnectionErrorHandler,
  type RawConnectionsOptions,
  refuseBeforeRouting,
} from './raw-connections.ts';
import type { Tls } from './tls.ts';

/** What a server is made with. */
export interface ServerSettings {
  limits: EdgeLimits;
  /** TLS ended here; without it, plain HTTP. */
  tls: Tls | undefined;
  /** What follows its connections. */
  connections: Connections;
  /** How to answer what never becomes a request. */
  raw: RawConnectionsOptions;
}

/** Makes the server: the same limits, with TLS or without. */
export function makeServer(
  handler: RequestListener,
  { limits, tls, connections, raw }: ServerSettings,
): Server {
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkMs,
    requireHostHeader: false, // Node would answer without a body; the edge asks for it
    insecureHTTPParser: false,
  };
  // Who begins no TLS sends no headers either; Node's default is two minutes.
  const server = tls
    ? tls.makeServer({ ...options, handshakeTimeout: limits.headersMs }, handler)
    : createServer(options, handler);
  connections.follow(server);
  server.on('clientError', makeConnectionErrorHandler(raw));
  refuseBeforeRouting(server, raw);
  return server;
}

/** The connections of the service and the requests in flight, so that a close has an end. */
export interface Connections {
  /** Follows the connections of a server. */
  follow(server: Server): void;
  /** Follows a request until its response closes; `answer` answers it when it has not been answered in time. */
  begin(response: ServerResponse, answer: () => void): void;
  /** Whether the service closes: then no connection is kept. */
  isEnding(): boolean;
  /**
   * Begins to end everything. Requests in flight have `finishMs`, then those without an answer are
   * answered. As soon as none is in flight, the connections that are left end: Node closes idle ones
   * only, and its own time limits for headers and bodies end with `server.close()`.
   */
  end(): void;
}

/** Makes connections that are followed until they end. */
export function makeConnections({
  finishMs,
  flushMs,
}: Pick<EdgeLimits, 'finishMs' | 'flushMs'>): Connections {
  const sockets = new Set<Socket>();
  const inFlight = new Map<ServerResponse, () => void>();
  let isEnding = false;

  /** Ends what is connected, once the last answers are sent and headers on their way have arrived. */
  function endSoon(isLast: () => boolean): void {
    setTimeout(() => {
      if (isLast()) for (const socket of sockets) socket.destroy();
    }, flushMs).unref();
  }

  const endWhenIdle = () => {
    if (isEnding && inFlight.size === 0) endSoon(() => inFlight.size === 0);
  };

  function cut(): void {
    for (const answer of inFlight.values()) answer();
    endSoon(() => true);
  }

  return {
    follow(server) {
      server.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
    },
    begin(response, answer) {
      inFlight.set(response, answer);
      response.once('close', () => {
        inFlight.delete(response);
        endWhenIdle();
      });
    },
    isEnding: () => isEnding,
    end() {
      if (isEnding) return;
      isEnding = true;
      setTimeout(cut, finishMs).unref();
      endWhenIdle();
    },
  };
}
