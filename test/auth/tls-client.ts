import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';

import { openTls, type Tls } from '#edge/tls.ts';
import { makeLogger } from '#telemetry/logger.ts';
import { temporaryDir } from '../database/homes.ts';
import type { LogLine } from '../world.ts';
import { type Identity, makeAuthority } from './certificates.ts';
import { makeTime, type Time } from './time.ts';

/** TLS files and the server context of them, with a clock that a test advances. */
export interface TlsFiles extends AsyncDisposable {
  tls: Tls;
  time: Time;
  log: LogLine[];
  /** Replaces files. */
  write(files: { cert?: string; key?: string; clientCa?: string }): void;
}

const serverAuthority = makeAuthority('who signs servers');

/** A certificate for a server on this machine. */
export function makeServerIdentity(): Identity {
  return serverAuthority.issue({ names: [['ip', '\x7f\0\0\x01']] });
}

/** Opens TLS with a certificate for this machine; with a `clientCa`, callers are asked for one. */
export async function openTlsFiles({ clientCa }: { clientCa?: string } = {}): Promise<TlsFiles> {
  const folder = temporaryDir();
  const pathOf = (name: string) => join(folder, `${name}.pem`);
  const write: TlsFiles['write'] = (files) => {
    for (const [name, content] of Object.entries(files)) writeFileSync(pathOf(name), content);
  };
  write({ ...makeServerIdentity(), ...(clientCa !== undefined && { clientCa }) });
  const time = makeTime(1);
  const log: LogLine[] = [];
  const tls = await openTls(
    {
      certFile: pathOf('cert'),
      keyFile: pathOf('key'),
      ...(clientCa !== undefined && { clientCaFile: pathOf('clientCa') }),
    },
    {
      readFile: (path) => readFile(path, 'utf8'),
      sleep: time.sleep,
      log: makeLogger('info', { write: (line: string) => void log.push(JSON.parse(line)) }),
    },
  );
  return { tls, time, log, write, [Symbol.asyncDispose]: () => tls[Symbol.asyncDispose]() };
}

/** An answer, and the certificate of the server that gave it. */
export interface TlsAnswer {
  status: number | undefined;
  challenge: string | undefined;
  serialNumber: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  body: any;
}

/** Makes a caller with or without a certificate; its connection stays open between requests. */
export function makeCaller(port: number, identity: Partial<Identity> = {}) {
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 1,
    ca: serverAuthority.cert,
    ...identity,
  });
  return {
    ask: (path = '/export-tasks', headers: Record<string, string> = {}) =>
      new Promise<TlsAnswer>((resolve, reject) => {
        const sent = request({ host: '127.0.0.1', port, path, headers, agent }, (response) => {
          const { serialNumber } = (response.socket as TLSSocket).getPeerCertificate();
          text(response).then((body) => {
            const { statusCode: status, headers } = response;
            const challenge = headers['www-authenticate'];
            resolve({ status, challenge, serialNumber, body: JSON.parse(body) });
          }, reject);
        });
        sent.on('error', reject).end();
      }),
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** Connects with TLS, sends a request and returns the result; `session` is resumed. */
export async function connectTls(port: number, options: ConnectionOptions) {
  const socket = connect({ host: '127.0.0.1', port, ca: serverAuthority.cert, ...options });
  socket.setEncoding('latin1').write('GET /health/live HTTP/1.1\r\nHost: gateway\r\n\r\n');
  const [answer] = await once(socket, 'data');
  const facts = {
    statusLine: String(answer).split('\r\n')[0],
    protocol: socket.getProtocol(),
    isResumed: socket.isSessionReused(),
    session: socket.getSession(),
  };
  socket.destroy();
  return facts;
}
