import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import type { RequestListener } from 'node:http';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { ClientAuthorities } from '#auth/authentication/client-certificate.ts';
import type { TlsSettings } from '#auth/authentication/settings.ts';
import { openReloadedValue, type ReloadedValueOptions } from '#files/reloaded-value.ts';
import { configError } from '#problems/config-error.ts';
import { readNamedFile } from '#validation/settings.ts';

/** What TLS is opened with. */
export interface TlsOptions extends Pick<ReloadedValueOptions<unknown>, 'sleep' | 'log'> {
  readFile: (path: string) => Promise<string>;
}

/** TLS with certificates from files. */
export interface Tls extends AsyncDisposable {
  /** Makes a server. When the files change, its new connections use the new certificates. */
  makeServer(options: ServerOptions, handler: RequestListener): Server;
  /** The CA certificates of client certificates. */
  clientAuthorities: ClientAuthorities;
}

/**
 * Opens the certificate, its key and the client CA file. They are loaded again when they change; an invalid
 * change, such as a certificate without its key, is ignored.
 * @throws an error named ConfigError
 */
export async function openTls(settings: TlsSettings, options: TlsOptions): Promise<Tls> {
  const { certFile, keyFile, clientCaFile } = settings;
  const { readFile, sleep, log } = options;
  const servers: Server[] = [];

  async function read(): Promise<string> {
    const files = [
      ['TLS_CERT_FILE', certFile],
      ['TLS_KEY_FILE', keyFile],
      ...(clientCaFile === undefined ? [] : [['TLS_CLIENT_CA_FILE', clientCaFile] as const]),
    ] as const;
    const texts = files.map(([name, path]) => readNamedFile({ name, path }, readFile));
    return JSON.stringify(await Promise.all(texts));
  }

  let known: TlsFiles | undefined;
  const authoritiesOf = new WeakMap<Socket, readonly X509Certificate[]>();

  /** Records the authorities at the start of each connection: they may change during the handshake. */
  function trackAuthorities(server: Server): void {
    const begun = new Map<string, Pick<TlsFiles, 'authorities'>>();
    const nameOf = ({ remoteAddress, remotePort }: Socket) => `${remoteAddress} ${remotePort}`;
    server.on('connection', (socket: Socket) => {
      const name = nameOf(socket);
      const { authorities } = context.current();
      const entry = { authorities };
      begun.set(name, entry);
      socket.once('close', () => {
        if (begun.get(name) === entry) begun.delete(name); // another connection may use its port
      });
    });
    server.on('secureConnection', (socket: Socket) => {
      const entry = begun.get(nameOf(socket));
      if (entry) authoritiesOf.set(socket, entry.authorities);
    });
  }

  const context = await openReloadedValue({
    what: 'TLS certificates',
    read,
    load(text) {
      const made = makeContext(settings, JSON.parse(text), known);
      known = made;
      for (const server of servers) server.setSecureContext(made.context);
      return made;
    },
    sleep,
    log,
  });
  return {
    makeServer(serverOptions, handler) {
      const isMutual = clientCaFile !== undefined;
      // A caller with a refused certificate gets an answer instead of a broken connection.
      const clientCertificate = { requestCert: isMutual, rejectUnauthorized: false };
      const server = createServer(
        { ...serverOptions, ...clientCertificate, ...context.current().context },
        handler,
      );
      servers.push(server);
      trackAuthorities(server);
      return server;
    },
    clientAuthorities: {
      current: () => context.current().authorities,
      of: (socket) => authoritiesOf.get(socket),
    },
    [Symbol.asyncDispose]: () => context[Symbol.asyncDispose](),
  };
}

/** The loaded files. */
interface TlsFiles {
  context: SecureContextOptions;
  clientCa: string | undefined;
  authorities: readonly X509Certificate[];
}

// The PEM blocks that OpenSSL reads as certificates.
const pem = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----[^-]+-----END \1-----/g;

function makeContext(
  { certFile, keyFile, clientCaFile }: TlsSettings,
  [cert = '', key = '', clientCa]: string[],
  known: TlsFiles | undefined,
): TlsFiles {
  const own: SecureContextOptions = { cert, key, minVersion: 'TLSv1.2' };
  const paths = [certFile, keyFile, clientCaFile].map((path) => JSON.stringify(path));
  assertUsable(
    `TLS_CERT_FILE is ${paths[0]} and TLS_KEY_FILE is ${paths[1]}, but they must be a certificate and its key, in PEM`,
    () => {
      // OpenSSL accepts an empty file as no certificate.
      new X509Certificate(cert);
      createPrivateKey(key);
      createSecureContext(own);
    },
  );
  if (clientCa === undefined) return { context: own, clientCa, authorities: [] };
  const mutual = {
    ...own,
    ca: [clientCa],
    // A resumed session is not verified again, so it would outlive the removal of its CA.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
  let authorities = known?.authorities ?? [];
  assertUsable(`TLS_CLIENT_CA_FILE is ${paths[2]}, but it must contain certificates in PEM`, () => {
    new X509Certificate(clientCa);
    createSecureContext(mutual);
    // A new array only if the CAs changed: the certificate of the server changes more often.
    if (clientCa !== known?.clientCa)
      authorities = [...clientCa.matchAll(pem)].map(([block]) => new X509Certificate(block));
  });
  return { context: mutual, clientCa, authorities };
}

function assertUsable(sentence: string, attempt: () => void): void {
  try {
    attempt();
  } catch (cause) {
    throw configError(`${sentence} (${(cause as Error).message}).`);
  }
}
