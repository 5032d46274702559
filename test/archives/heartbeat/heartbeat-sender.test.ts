import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import https, { Agent } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeHeartbeatSender } from '#archives/heartbeat/heartbeat-sender.ts';
import { isPublicAddress } from '#outbound/public-address.ts';
import type { OutboundConnections } from '#outbound/send-request.ts';
import { openMetrics } from '#telemetry/metrics/open-metrics.ts';

import { type Authority, makeAuthority } from '../../auth/certificates.ts';
import { readExposition } from '../../telemetry/metrics/exposition.ts';

const authority: Authority = makeAuthority('heartbeats');
const host = 'beats.example.com';
const seen: { url: string | undefined; headers: object }[] = [];
let answer: RequestListener;
let server: https.Server;
let port: number;
let connections = 0;

beforeAll(async () => {
  const identity = authority.issue({ names: [['dns', host]], use: 'server' });
  server = https.createServer(identity, (request, response) => {
    seen.push({ url: request.url, headers: request.headers });
    answer(request, response);
  });
  server.on('connection', () => {
    connections += 1;
  });
  port = await listen(server);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
afterEach(() => {
  seen.length = 0;
  connections = 0;
});

async function listen(opened: Server): Promise<number> {
  opened.listen(0, '127.0.0.1');
  await once(opened, 'listening');
  return (opened.address() as AddressInfo).port;
}

/** Sends a heartbeat to the server of this file, unless something else is given. */
function send(
  url = `https://${host}:${port}/ping/s3cr3t`,
  options: Partial<OutboundConnections> = {},
) {
  return makeHeartbeatSender([new URL(url).origin], {
    lookup: async () => [{ address: '127.0.0.1', family: 4 }],
    isAllowed: (address) => address === '127.0.0.1',
    deadline: () => new AbortController().signal,
    ca: authority.cert,
    ...options,
  })(url);
}

describe('a heartbeat', () => {
  test('is one GET of the URL over TLS, and delivered by any 2xx', async () => {
    answer = (_request, response) => response.writeHead(204).end();

    const result = await send();

    expect(result).toEqual({ outcome: 'delivered', origin: `https://${host}:${port}` });
    expect(seen).toEqual([
      {
        url: '/ping/s3cr3t',
        headers: {
          host: `${host}:${port}`,
          'user-agent': 'log-export-gateway',
          connection: 'close',
        },
      },
    ]);
  });

  test('is counted by its outcome', async () => {
    using metrics = openMetrics({
      targets: () => [],
      elapsed: () => 0,
      archives: { read: async () => [], sleep: async () => {} },
    });
    answer = (_request, response) => response.end();

    await send();
    await send(undefined, { isAllowed: () => false });
    await send(`https://${host}:1/`);

    const { value } = readExposition(await metrics.render());
    const outcomes = ['delivered', 'refused', 'failed'];
    const counts = outcomes.map((outcome) => value('log_export_heartbeats_total', { outcome }));
    expect(counts).toEqual([1, 1, 1]);
  });

  test.each([301, 302, 307, 308])('follows no redirect (%i)', async (status) => {
    answer = (_request, response) =>
      response.writeHead(status, { location: `https://${host}:${port}/elsewhere` }).end();

    expect(await send()).toMatchObject({ outcome: 'failed', reason: `status ${status}` });
    expect(seen).toHaveLength(1);
  });

  test('reads no body: an endless one changes nothing', async () => {
    const closed = Promise.withResolvers<void>();
    answer = (_request, response) => {
      response.on('close', closed.resolve);
      response.writeHead(200);
      const write = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', write);
      };
      write();
    };

    expect(await send()).toMatchObject({ outcome: 'delivered' });
    await closed.promise;
  });

  test('fails without an answer in time, also while a name is looked up', async () => {
    const silent = createServer();
    const silentPort = await listen(silent);
    const [beforeTls, duringLookup, beforeAnswer] = [1, 2, 3].map(() => new AbortController());
    silent.on('connection', () => beforeTls?.abort());
    answer = () => beforeAnswer?.abort();
    const until = (controller = new AbortController()) => ({ deadline: () => controller.signal });

    const results = [
      await send(`https://${host}:${silentPort}/`, until(beforeTls)),
      await send(undefined, {
        ...until(duringLookup),
        lookup: () => {
          setImmediate(() => duringLookup?.abort());
          return new Promise(() => {});
        },
      }),
      await send(undefined, until(beforeAnswer)),
    ];
    silent.close();

    for (const result of results) {
      expect(result).toMatchObject({ outcome: 'failed', reason: 'timeout' });
    }
  });

  test('fails with the code of the fault, without the path of the URL', async () => {
    const notFound = Object.assign(new Error('of /ping/s3cr3t'), { code: 'ENOTFOUND' });
    const faults = {
      ENOTFOUND: send(undefined, { lookup: () => Promise.reject(notFound) }),
      ECONNREFUSED: send(`https://${host}:1/ping/s3cr3t`),
      ERR_TLS_CERT_ALTNAME_INVALID: send(`https://other.example.com:${port}/ping/s3cr3t`),
      UNABLE_TO_VERIFY_LEAF_SIGNATURE: send(undefined, { ca: makeAuthority('other').cert }),
    };

    for (const [reason, result] of Object.entries(faults)) {
      expect(await result).toMatchObject({ outcome: 'failed', reason });
      expect(JSON.stringify(await result)).not.toContain('s3cr3t');
    }
    expect(seen).toEqual([]);
  });

  test('goes through no proxy, also if the agent of the process has one', async () => {
    answer = (_request, response) => response.end();
    const usual = https.globalAgent;
    https.globalAgent = new Agent({ proxyEnv: { HTTPS_PROXY: 'http://127.0.0.1:1' } });

    const result = await send().finally(() => {
      https.globalAgent = usual;
    });

    expect(result).toMatchObject({ outcome: 'delivered' });
  });

  test('is not sent while 16 others are', async () => {
    const release = Promise.withResolvers<void>();
    answer = (_request, response) => response.end();
    const url = `https://${host}:${port}/`;
    const sendFrom = makeHeartbeatSender([new URL(url).origin], {
      lookup: () => release.promise.then(() => [{ address: '127.0.0.1', family: 4 }]),
      isAllowed: () => true,
      deadline: () => new AbortController().signal,
      ca: authority.cert,
    });
    const sixteen = Array.from({ length: 16 }, () => sendFrom(url));

    expect(await sendFrom(url)).toMatchObject({ outcome: 'failed', reason: 'too many at once' });
    release.resolve();
    for (const result of await Promise.all(sixteen)) expect(result.outcome).toBe('delivered');
    expect(await sendFrom(url)).toMatchObject({ outcome: 'delivered' });
  });
});

describe('an address of this machine or network', () => {
  const refused = { outcome: 'refused', reason: 'address not allowed' };

  test.each([
    '127.0.0.1',
    '127.0.0.1.',
    '127.1',
    '127.255.255.254',
    '2130706433',
    '0x7f.1',
    '0x7f000001',
    '017700000001',
    '0177.0.0.1',
    '①②⑦.⓪.⓪.①',
    '%31%32%37.0.0.1',
    '0',
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '169.254.169.254',
    '169.254.170.2',
    '172.16.0.1',
    '192.168.1.1',
    '224.0.0.1',
    '255.255.255.255',
    '[::1]',
    '[::]',
    '[0:0:0:0:0:0:0:1]',
    '[::127.0.0.1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:0:127.0.0.1]',
    '[::ffff:a9fe:a9fe]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b:1::7f00:1]',
    '[2002:7f00:1::]',
    '[2001:0:1::]',
    '[fe80::1]',
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[ff02::1]',
    '[fec0::1]',
  ])('is refused as a literal, also if its origin is allowed: %s', async (literal) => {
    const url = `https://${literal}:${port}/ping`;

    expect(await send(url, { isAllowed: isPublicAddress })).toMatchObject(refused);
    expect(connections).toBe(0);
  });

  test.each(['localhost', 'localhost.', 'LOCALHOST', 'metadata.example.com'])(
    'is refused if a name has it: %s',
    async (name) => {
      const result = await send(`https://${name}:${port}/ping`, { isAllowed: isPublicAddress });

      expect(result).toMatchObject(refused);
      expect(connections).toBe(0);
    },
  );

  test.each([
    [['93.184.215.14', '10.0.0.1']],
    [['2606:2800:21f:cb07:6820:80da:af6b:8b2c', '::ffff:10.0.0.1']],
    [['fe80::1%eth0']],
    [['no address']],
    [[]],
  ])('is refused if one of several is not public: %j', async (addresses) => {
    const lookup = async () =>
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

    const result = await send(undefined, { lookup, isAllowed: isPublicAddress });

    expect(result).toMatchObject(refused);
    expect(connections).toBe(0);
  });

  test('is noticed at the socket, before anything is sent', async () => {
    const bytes: Buffer[] = [];
    const plain = createServer((socket) => {
      socket
        .on('error', () => {})
        .on('data', (chunk) => {
          bytes.push(chunk);
          socket.destroy();
        });
      socket.on('close', () => plain.close());
    });
    const plainPort = await listen(plain);
    const closed = once(plain, 'close');
    let checks = 0;
    const isAllowed = () => ++checks === 1; // as if the address were another one after the check of the name

    expect(await send(`https://${host}:${plainPort}/`, { isAllowed })).toMatchObject(refused);
    await closed;
    expect(bytes).toEqual([]);
  });

  test.each([
    '8.8.8.8',
    '93.184.215.14',
    '172.32.0.1',
    '100.128.0.1',
    '2606:2800:21f:cb07:6820:80da:af6b:8b2c',
    '2a00:1450:4001:80b::200e',
  ])('is not one on the Internet: %s', (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});
