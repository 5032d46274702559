import { once } from 'node:events';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { connect, isIP, type LookupFunction, type Socket } from 'node:net';
import tls from 'node:tls';

/**
 * How long an address may take to connect, in ms, if there is another one. Shorter: a server far away, or one lost
 * packet, counts as unreachable, and the last address often is: IPv6. Longer: no time is left after an address that is
 * down.
 */
export const connectAttemptMs = 2_000;

// Fewer: a receiver that shows its progress fails. More: Node reads any number of them, and nothing else runs.
const maxInterimAnswers = 8;

/** An address of a host. */
export interface HostAddress {
  address: string;
  family: number;
}

/** How a request reaches its receiver. */
export interface OutboundConnections {
  /** Returns all addresses of a host. */
  lookup: (host: string) => Promise<readonly HostAddress[]>;
  /** Whether a connection to an IP address is allowed. */
  isAllowed: (address: string) => boolean;
  /** Returns a signal that aborts at the end of the time of a request. */
  deadline: () => AbortSignal;
  /** The certificate authorities to trust. Default: those of Node. */
  ca?: string;
}

/** A request to a URL that a caller has chosen. */
export interface OutboundRequest {
  url: URL;
  method: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: string;
}

/** What became of a request. Nothing in it has the path of the URL, which can be a secret. */
export type OutboundResult =
  /** The receiver has answered. Its body was not read. */
  | { outcome: 'answered'; status: number; retryAfter: string | undefined }
  /** Nothing was sent: an address is not allowed. */
  | { outcome: 'refused'; reason: string }
  /** There was no answer. `reason` is a code of Node, `timeout` or `too many interim answers`. */
  | { outcome: 'failed'; reason: string };

/**
 * Sends a request to a URL that a caller has chosen. It never rejects, and ends at the deadline.
 * Only allowed addresses are connected to: all of a name are checked before the connection, and that of the socket
 * before anything is sent. The connection is direct: a proxy would resolve names by itself.
 * Redirects are not followed, and no body is read.
 */
export async function sendRequest(
  request: OutboundRequest,
  connections: OutboundConnections,
): Promise<OutboundResult> {
  const signal = connections.deadline();
  try {
    return await send(request, connections, signal);
  } catch (error) {
    const { code = 'error' } = error as NodeJS.ErrnoException;
    return { outcome: 'failed', reason: signal.aborted ? 'timeout' : code };
  }
}

async function send(
  { url, method, headers, body }: OutboundRequest,
  { lookup, isAllowed, ca }: OutboundConnections,
  signal: AbortSignal,
): Promise<OutboundResult> {
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

  const isTls = url.protocol === 'https:';
  const found: LookupFunction = (_host, _options, done) => done(null, [...addresses]);
  const port = Number(url.port || (isTls ? 443 : 80));
  const plain = connect({
    host,
    port,
    lookup: found,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: connectAttemptMs,
    signal,
  });
  plain.on('error', () => {}); // the awaited event rejects
  try {
    await once(plain, 'connect', { signal });
    if (!isAllowed(plain.remoteAddress ?? '')) return forbidden;
    const servername = family === 0 ? { servername: host } : {};
    const socket = isTls
      ? await secure(tls.connect({ socket: plain, host, ...servername, ca }))
      : plain;
    // With a connection of its own, a request uses no agent, and so none with a proxy.
    const sent = (isTls ? https : http).request(url, {
      method,
      createConnection: () => socket,
      headers: { 'user-agent': 'log-export-gateway', ...headers },
      signal,
    });
    limitInterimAnswers(sent)
      .on('error', () => {})
      .end(body);
    const [answer] = (await Promise.race([
      once(sent, 'response', { signal }),
      once(sent, 'upgrade', { signal }), // nobody asked for it, and there is no response then
    ])) as [IncomingMessage];
    const { statusCode: status = 0, headers: fields } = answer;
    return { outcome: 'answered', status, retryAfter: fields['retry-after'] };
  } finally {
    plain.destroy();
  }

  async function secure(socket: tls.TLSSocket): Promise<Socket> {
    socket.on('error', () => {});
    await once(socket, 'secureConnect', { signal });
    return socket;
  }
}

const forbidden = { outcome: 'refused', reason: 'address not allowed' } as const;

/** Ends a request with an error at too many interim answers, such as 103 Early Hints. */
export function limitInterimAnswers(request: ClientRequest): ClientRequest {
  let count = 0;
  return request.on('information', () => {
    count += 1;
    const code = 'too many interim answers';
    if (count > maxInterimAnswers) request.destroy(Object.assign(new Error(code), { code }));
  });
}

/** Rejects when the signal aborts. A lookup itself cannot be aborted. */
async function abortOf(signal: AbortSignal): Promise<never> {
  await once(signal, 'abort');
  throw signal.reason;
}
