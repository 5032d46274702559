import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import {
  createServer as createTlsServer,
  getCACertificates,
  setDefaultCACertificates,
} from 'node:tls';

import { makeAuthority } from '../auth/certificates.ts';

/** The reaction of the proxy to CONNECT: connect, answer with a status, or stay silent. */
type Manner = 'pass' | 'silent' | number;

/** A forward proxy, the only way to its hosts. */
export interface ForwardProxy extends AsyncDisposable {
  /** Its URL with a password. */
  url: string;
  /** The hosts of its CONNECT requests, in order. */
  connects: { target: string; authorization: string | undefined }[];
  /** The URLs of its plain HTTP requests, in order. */
  requests: string[];
  manner: Manner;
  /** The number of open connections. */
  open(): number;
  /** Closes its connections and accepts no more. */
  goAway(): Promise<void>;
}

/** Ports on this machine by host name. */
export type Hosts = Record<string, number>;

/** Opens a forward proxy for these hosts; a name includes every name that ends with it. */
export async function openForwardProxy(hosts: Hosts): Promise<ForwardProxy> {
  const sockets = new Set<Socket>();
  const portOf = (host: string) =>
    Object.entries(hosts).find(([name]) => host === name || host.endsWith(`.${name}`))?.[1];

  const server = createServer((incoming, answer) => {
    const url = new URL(incoming.url ?? '');
    proxy.requests.push(url.href);
    const { method, headers } = incoming;
    const passedOn = request(
      { host: '127.0.0.1', port: portOf(url.hostname), path: url.pathname, method, headers },
      (from) => from.pipe(answer.writeHead(from.statusCode ?? 502, from.headers)),
    );
    incoming.pipe(passedOn);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.on('connect', (incoming, socket: Socket) => {
    const { url: target = '', headers } = incoming;
    proxy.connects.push({ target, authorization: headers['proxy-authorization'] });
    if (proxy.manner === 'silent') return void socket.on('end', () => socket.end()).resume();
    const port = portOf(target.split(':')[0] ?? '');
    const status = proxy.manner === 'pass' ? (port === undefined ? 502 : 200) : proxy.manner;
    socket.write(`HTTP/1.1 ${status} of the test\r\n\r\n`);
    if (status !== 200 || port === undefined) return void socket.end();
    const upstream = connect(port, '127.0.0.1').on('error', () => {});
    socket.pipe(upstream).pipe(socket);
    socket.on('close', () => upstream.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');

  const proxy: ForwardProxy = {
    url: `http://gateway:s3cret%21@127.0.0.1:${(server.address() as AddressInfo).port}`,
    connects: [],
    requests: [],
    manner: 'pass',
    open: () => sockets.size,
    async goAway() {
      if (!server.listening) return;
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
    [Symbol.asyncDispose]: () => proxy.goAway(),
  };
  return proxy;
}

const authority = makeAuthority('who signs hosts behind the proxy');

/** Opens TLS in front of a port, with these names. This process trusts its certificate. */
export async function openTlsFront(names: string[], port: number) {
  setDefaultCACertificates([...getCACertificates('default'), authority.cert]);
  const identity = authority.issue({ names: names.map((name) => ['dns', name]) });
  const server = createTlsServer(identity, (socket) => {
    const upstream = connect(port, '127.0.0.1').on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}
