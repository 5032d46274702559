import { lookup as lookUp } from 'node:dns/promises';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import { connect, isIP, type LookupFunction } from 'node:net';
import tls from 'node:tls';

import { heartbeatEnds } from '#diagnostics/exports.ts';
import { heartbeatUrlFault } from './heartbeat-url.ts';
import { isPublicAddress } from './public-address.ts';

/** What became of a heartbeat. Nothing in it tells the path of the URL, which is a secret. */
export interface HeartbeatResult {
  /** `refused`: nothing was sent, because the origin or an address is not allowed. */
  outcome: 'delivered' | 'refused' | 'failed';
  /** The origin of the URL; empty if the text is no URL. */
  origin: string;
  /** Why it was refused or has failed: a code of Node, or a few words. */
  reason?: string;
}

/** Sends a heartbeat. It never rejects, and takes five seconds at most. */
export type SendHeartbeat = (url: string) => Promise<HeartbeatResult>;

/** How heartbeats are sent. */
export interface HeartbeatConnections {
  /** Returns all addresses of a host. */
  lookup: (host: string) => Promise<readonly { address: string; family: number }[]>;
  /** Whether a connection to an IP address is allowed. */
  isAllowed: (address: string) => boolean;
  /** Returns a signal that aborts at the end of the time of a heartbeat. */
  deadline: () => AbortSignal;
  /** The certificate authorities to trust. Default: those of Node. */
  ca?: string;
}

// Longer: slow receivers hold more sockets at once. Shorter: a receiver far away misses heartbeats.
const withinMs = 5_000;

const toTheInternet: HeartbeatConnections = {
  lookup: (host) => lookUp(host, { all: true }),
  isAllowed: isPublicAddress,
  deadline: () => AbortSignal.timeout(withinMs),
};

// Lower: one receiver that does not answer keeps other archives from theirs. Higher: more sockets for calls that
// nobody waits for.
const maxAtOnce = 16;

/**
 * Makes `SendHeartbeat` for the origins that the operator allows. A heartbeat is one GET over HTTPS, directly: a proxy
 * would resolve names by itself.
 * Redirects are not followed, and no body is read. Only allowed addresses are connected to: all of a name are
 * checked before the connection, and that of the socket before anything is sent.
 */
export function makeHeartbeatSender(
  origins: readonly string[],
  connections: HeartbeatConnections = toTheInternet,
): SendHeartbeat {
  let sending = 0;

  async function sendWithin(text: string): Promise<HeartbeatResult> {
    const origin = URL.parse(text)?.origin ?? '';
    const fault = heartbeatUrlFault(text, origins);
    if (fault !== undefined) return { outcome: 'refused', origin, reason: 'URL not allowed' };
    if (sending === maxAtOnce) return { outcome: 'failed', origin, reason: 'too many at once' };
    sending += 1;
    const signal = connections.deadline();
    try {
      return { origin, ...(await send(new URL(text), connections, signal)) };
    } catch (error) {
      const reason = signal.aborted
        ? 'timeout'
        : ((error as NodeJS.ErrnoException).code ?? 'error');
      return { outcome: 'failed', origin, reason };
    } finally {
      sending -= 1;
    }
  }

  return async (url) => {
    const result = await sendWithin(url);
    heartbeatEnds.publish({ outcome: result.outcome });
    return result;
  };
}

async function send(
  url: URL,
  { lookup, isAllowed, ca }: HeartbeatConnections,
  signal: AbortSignal,
): Promise<Omit<HeartbeatResult, 'origin'>> {
  // Node connects to a literal without a lookup. URL has already turned 0x7f.1 and the like into an address.
  const host = url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const family = isIP(host);
  const addresses =
    family === 0
      ? await Promise.race([lookup(host), abortOf(signal)])
      : [{ address: host, family }];
  if (addresses.length === 0 || !addresses.every(({ address }) => isAllowed(address))) {
    return forbidden;
  }

  const found: LookupFunction = (_host, _options, done) => done(null, [...addresses]);
  const port = Number(url.port || 443);
  const plain = connect({ host, port, lookup: found, autoSelectFamily: true, signal });
  plain.on('error', () => {}); // the awaited event rejects
  try {
    await once(plain, 'connect', { signal });
    if (!isAllowed(plain.remoteAddress ?? '')) return forbidden;
    const socket = tls.connect({
      socket: plain,
      host,
      ...(family === 0 && { servername: host }),
      ca,
    });
    socket.on('error', () => {});
    await once(socket, 'secureConnect', { signal });
    // With a connection of its own, a request uses no agent, and so none with a proxy.
    const headers = { 'user-agent': 'log-export-gateway' };
    const request = https.get(url, { createConnection: () => socket, headers, signal });
    const [response] = await once(request, 'response', { signal });
    request.on('error', () => {});
    const { statusCode = 0 } = response as IncomingMessage;
    if (statusCode >= 200 && statusCode < 300) return { outcome: 'delivered' };
    return { outcome: 'failed', reason: `status ${statusCode}` };
  } finally {
    plain.destroy();
  }
}

const forbidden = { outcome: 'refused', reason: 'address not allowed' } as const;

/** Rejects when the signal aborts. A lookup itself cannot be aborted. */
async function abortOf(signal: AbortSignal): Promise<never> {
  await once(signal, 'abort');
  throw signal.reason;
}
