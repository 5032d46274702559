import { once } from 'node:events';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';

import type { AwsTimeouts } from '../client/timeouts.ts';
import { timeoutError } from './http-connection.ts';

/** The peer of a connection. */
export interface Origin {
  protocol: string;
  hostname: string;
  port?: number | undefined;
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

/** Opens a socket, with TLS if there is any. Throws if it cannot be opened: then nothing was sent. */
export async function openSocket(
  { hostname, port }: Origin,
  options: { tls: SharedTls | undefined; timeouts: AwsTimeouts; signal: AbortSignal },
): Promise<Socket> {
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
  const expire = () => socket.destroy(timeoutError('connection'));
  socket
    .setNoDelay(true)
    .setTimeout(timeouts.connectMs, expire)
    .once('connect', () => socket.setTimeout(timeouts.createMs))
    .on('error', () => {}) // once the socket is open, its request reports it
    .on('session', (session: Buffer) => {
      if (tls) tls.session = session;
    });
  try {
    await once(socket, tls ? 'secureConnect' : 'connect', { signal });
    socket.setTimeout(0, expire);
    return socket;
  } catch (error) {
    socket.destroy();
    if (tls) tls.session = undefined; // it may be the reason
    throw error;
  }
}
