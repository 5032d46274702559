import { createServer, type RequestListener, type Server } from 'node:http';

import type { EdgeLimits } from './limits.ts';
import type { Tls } from './tls.ts';

/** What a server is made with. */
export interface ServerSettings {
  limits: EdgeLimits;
  /** TLS ended here; without it, plain HTTP. */
  tls: Tls | undefined;
}

/** Makes the server: the same limits, with TLS or without. */
export function makeServer(handler: RequestListener, { limits, tls }: ServerSettings): Server {
  const options = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: limits.checkMs,
    requireHostHeader: false, // Node would answer without a body; the edge asks for it
    insecureHTTPParser: false,
  };
  if (!tls) return createServer(options, handler);
  // Who begins no TLS sends no headers either; Node's default is two minutes.
  return tls.makeServer({ ...options, handshakeTimeout: limits.headersMs }, handler);
}
