import { createServer, type RequestListener, type Server } from 'node:http';

import type { Connections } from './connections.ts';
import type { EdgeLimits } from './limits.ts';
import {
  makeConnectionErrorHandler,
  type RawConnectionsOptions,
  refuseBeforeRouting,
} from './raw-connections.ts';
import type { Tls } from './tls.ts';

/** What a server depends on. */
export interface ServerSettings {
  limits: EdgeLimits;
  /** The TLS settings; plain HTTP when undefined. */
  tls: Tls | undefined;
  /** Tracks its connections. */
  connections: Connections;
  /** How to answer without a Fastify request. */
  raw: RawConnectionsOptions;
  /** A clock that only goes forward, in milliseconds. */
  elapsed: () => number;
}

/** Makes the server, with the same limits for HTTP and HTTPS. */
export function makeServer(
  handler: RequestListener,
  { limits, tls, connections, raw, elapsed }: ServerSettings,
): Server {
  /** Passes on the requests that are admitted, in their turn; the connections of others are closed. */
  const admitted =
    (listener: RequestListener): RequestListener =>
    (request, response) =>
      connections.admit(request.socket, response, () => listener(request, response));
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkMs,
    requireHostHeader: false, // the edge checks it; Node would answer without a body
    insecureHTTPParser: false,
  };
  // A client that never starts TLS is like one that sends no headers; Node's default is two minutes.
  const server = tls
    ? tls.makeServer({ ...options, handshakeTimeout: limits.headersMs }, admitted(handler))
    : createServer(options, admitted(handler));
  allowForPauses(server, { checkMs: limits.checkMs, elapsed });
  server.timeout = limits.silentMs;
  connections.follow(server);
  server.on('clientError', makeConnectionErrorHandler(raw));
  refuseBeforeRouting(server, raw, admitted);
  return server;
}

/**
 * Lengthens the time limits of requests by the time in which the process did not run. Node checks them before it reads
 * what has arrived meanwhile, so it would refuse complete requests. `elapsed` is a clock that only goes forward, in
 * milliseconds.
 */
export function allowForPauses(
  server: Pick<Server, 'headersTimeout' | 'requestTimeout'>,
  { checkMs, elapsed }: { checkMs: number; elapsed: () => number },
): void {
  let checkedAt = elapsed();
  let pauseMs = 0;
  // Node reads the limits at each check, and nowhere else. So a read after a long time is a check after a pause.
  const allowedMs = () => {
    const sinceMs = elapsed() - checkedAt;
    if (sinceMs < checkMs / 2) return pauseMs; // another read of the same check
    checkedAt += sinceMs;
    pauseMs = Math.max(0, Math.ceil(sinceMs - checkMs));
    return pauseMs;
  };
  for (const name of ['headersTimeout', 'requestTimeout'] as const) {
    let limitMs = server[name];
    Object.defineProperty(server, name, {
      get: () => limitMs + allowedMs(),
      set: (ms: number) => {
        limitMs = ms;
      },
    });
  }
}
