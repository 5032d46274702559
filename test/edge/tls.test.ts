import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { edgeLimits } from '#edge/limits.ts';
import { openTls } from '#edge/tls.ts';
import { makeAuthority } from '../auth/certificates.ts';
import { makeTime } from '../auth/time.ts';
import { connectTls, makeCaller, makeServerIdentity, openTlsFiles } from '../auth/tls-client.ts';
import { openWorld } from '../world.ts';
import { dial, readAnswers, request } from './raw.ts';

const soonIdle = { keepAliveMs: 100, checkMs: 20 };
const quick = { ...soonIdle, headersMs: 1_500, requestMs: 2_000 };

/** Sends bytes over TLS, and reads until the server ends the connection. */
async function talkTls(port: number, bytes: string) {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  socket.on('error', () => {});
  socket.write(bytes, 'latin1');
  let received = '';
  for await (const chunk of socket.setEncoding('latin1')) received += chunk;
  return readAnswers(received, [bytes.split(' ', 1)[0] ?? '']);
}

describe('TLS', () => {
  test.for(['TLSv1.2', 'TLSv1.3'] as const)('supports %s', async (version) => {
    await using files = await openTlsFiles();
    await using world = await openWorld({ tls: files.tls });

    const found = await connectTls(world.port, { minVersion: version, maxVersion: version });

    expect(found).toMatchObject({ statusLine: 'HTTP/1.1 200 OK', protocol: version });
  });

  test('does not support TLS 1.1', async () => {
    await using files = await openTlsFiles();
    await using world = await openWorld({ tls: files.tls });
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL@SECLEVEL=0' } as const;

    await expect(connectTls(world.port, old)).rejects.toThrow(/protocol version/);
    expect(world.log.at(-1)).toMatchObject({
      code: 'ERR_SSL_UNSUPPORTED_PROTOCOL',
      msg: 'TLS handshake failed',
    });
  });

  test.for([
    ['plain HTTP', request('GET /health/live'), 'ERR_SSL_HTTP_REQUEST'],
    ['no TLS at all', '\0'.repeat(100), 'ERR_SSL_WRONG_VERSION_NUMBER'],
  ] as const)('closes the connection and logs one line for %s', async ([, bytes, code]) => {
    await using files = await openTlsFiles();
    await using world = await openWorld({ tls: files.tls });
    const before = world.log.length;

    const socket = dial(world.port);
    socket.write(bytes);
    const received: Buffer[] = await Array.fromAsync(socket);

    expect(Buffer.concat(received).toString('latin1')).not.toContain('HTTP/1.1');
    expect(world.log.slice(before)).toEqual([
      expect.objectContaining({
        level: 'info',
        code,
        msg: 'TLS handshake failed',
      }),
    ]);
  });

  test('closes a connection without a handshake within the limit of headers', async () => {
    await using files = await openTlsFiles();
    await using world = await openWorld({ tls: files.tls, limits: quick });

    const socket = dial(world.port);
    await once(socket.resume(), 'close');

    expect(world.log.at(-1)).toMatchObject({ code: 'ERR_TLS_HANDSHAKE_TIMEOUT' });
  });

  test('logs nothing when a client leaves before the handshake', async () => {
    await using files = await openTlsFiles();
    await using world = await openWorld({ tls: files.tls });
    const before = world.log.length;

    const socket = dial(world.port);
    await once(socket, 'connect');
    socket.resetAndDestroy();
    await connectTls(world.port, {});
    await world.waitFor(() => world.log.length > before);

    expect(world.log.slice(before)).toEqual([expect.objectContaining({ msg: 'request' })]);
  });
});

describe('the limits of a request over TLS', () => {
  test('are the same as without TLS', async () => {
    await using files = await openTlsFiles();
    const settings = { limits: edgeLimits, elapsed: () => 0 };
    await using plain = await openWorld(settings);
    await using world = await openWorld({ ...settings, tls: files.tls });

    for (const { headersTimeout, requestTimeout, keepAliveTimeout } of [plain, world].map(
      ({ app }) => app.server,
    )) {
      expect([headersTimeout, requestTimeout, keepAliveTimeout]).toEqual([5_000, 10_000, 75_000]);
    }
  });

  test.for([
    ['headers too large', request('GET /health/live', { X: 'x'.repeat(9_000) }), 431],
    ['headers that never end', 'GET /health/live HTTP/1.1\r\nHost: gateway\r\nX: ', 408],
    ['what is not HTTP', 'hello\r\n\r\n', 400],
    ['no host', 'GET /health/live HTTP/1.1\r\n\r\n', 400],
    ['a way through', 'CONNECT gateway:80 HTTP/1.1\r\nHost: gateway:80\r\n\r\n', 400],
    ['silence after an answer', request('GET /health/live'), 200],
  ] as const)('%s', async ([, bytes, status]) => {
    await using files = await openTlsFiles();
    const limits = status === 408 ? quick : soonIdle;
    await using world = await openWorld({ tls: files.tls, limits });

    const answers = await talkTls(world.port, bytes);

    expect(answers.map((answer) => answer.status)).toEqual([status]);
    expect(world.log.filter(({ msg }) => msg === 'request')).toHaveLength(1);
  });
});

describe('the certificate of the server', () => {
  test('applies to new connections when its files change, and no request is lost', async () => {
    await using files = await openTlsFiles();
    await using world = await openWorld({ tls: files.tls });
    using kept = makeCaller(world.port);
    using fresh = makeCaller(world.port);
    const before = await kept.ask();

    files.write(makeServerIdentity());
    await files.time.advance(2_000);
    const after = await fresh.ask();
    const stillKept = await kept.ask();

    expect([before.status, after.status, stillKept.status]).toEqual([200, 200, 200]);
    expect(after.serialNumber).not.toBe(before.serialNumber);
    expect(stillKept.serialNumber).toBe(before.serialNumber);
  });

  test('changes on every address the service listens on', async () => {
    await using files = await openTlsFiles();
    const serials = async () => {
      using callers = new DisposableStack();
      const asked = servers.map((server) => {
        const { port } = server.address() as AddressInfo;
        return callers.use(makeCaller(port)).ask();
      });
      return (await Promise.all(asked)).map(({ serialNumber }) => serialNumber);
    };
    const servers = [1, 2].map(() =>
      files.tls.makeServer({}, (_request, response) => response.end('{}')).listen(0, '127.0.0.1'),
    );
    await Promise.all(servers.map((server) => once(server, 'listening')));
    const [before] = await serials();

    files.write(makeServerIdentity());
    await files.time.advance(2_000);
    const [one, other] = await serials();
    for (const server of servers) server.close();

    expect(one).not.toBe(before);
    expect(other).toBe(one);
  });

  test.for([
    ['without its key', () => ({ cert: makeServerIdentity().cert })],
    ['that is none', () => ({ cert: 'nonsense' })],
    ['that is empty', () => ({ cert: '' })],
    ['whose key is empty', () => ({ key: '' })],
  ] as const)('is ignored %s, and an error is logged', async ([, change]) => {
    await using files = await openTlsFiles();
    await using world = await openWorld({ tls: files.tls });
    using one = makeCaller(world.port);
    using other = makeCaller(world.port);
    const before = await one.ask();

    files.write(change());
    await files.time.advance(2_000);
    const after = await other.ask();

    expect(after.serialNumber).toBe(before.serialNumber);
    expect(files.log).toEqual([
      expect.objectContaining({
        level: 'error',
        err: expect.objectContaining({
          message: expect.stringMatching(
            /^TLS_CERT_FILE is ".*" and TLS_KEY_FILE is ".*", but they must be a certificate and its key, in PEM \(.+\)\.$/,
          ),
        }),
        msg: 'failed to reload changed files; the previous version stays active',
      }),
    ]);
  });

  test.for([
    [
      'nowhere',
      { TLS_CERT_FILE: undefined },
      /^TLS_CERT_FILE is "TLS_CERT_FILE": it must be the path of a readable file \(ENOENT\)\.$/,
    ],
    ['no certificate', { TLS_CERT_FILE: 'x' }, /^TLS_CERT_FILE is .* in PEM \(.+\)\.$/],
    [
      'that of another key',
      { TLS_KEY_FILE: makeServerIdentity().key },
      /^TLS_CERT_FILE is .* in PEM \(.*key values mismatch\)\.$/,
    ],
    [
      'beside nobody who signs for callers',
      { TLS_CLIENT_CA_FILE: '' },
      /^TLS_CLIENT_CA_FILE is "TLS_CLIENT_CA_FILE", but it must contain certificates in PEM \(.+\)\.$/,
    ],
  ] as const)('is rejected at the start: %s', async ([, wrong, sentence]) => {
    const { cert, key } = makeServerIdentity();
    const clientCa = makeAuthority('who signs callers').cert;
    const good = { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CLIENT_CA_FILE: clientCa };
    const contents: Record<string, string | undefined> = { ...good, ...wrong };

    const opening = openTls(
      { certFile: 'TLS_CERT_FILE', keyFile: 'TLS_KEY_FILE', clientCaFile: 'TLS_CLIENT_CA_FILE' },
      {
        readFile: async (path) => contents[path] ?? Promise.reject(new Error('ENOENT')),
        sleep: makeTime(0).sleep,
        log: { info() {}, warn() {}, error() {} },
      },
    );

    await expect(opening).rejects.toMatchObject({ name: 'ConfigError' });
    await expect(opening).rejects.toThrow(sentence);
  });
});
