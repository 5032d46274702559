import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { openToAll } from '#auth/access.ts';
import { anonymous } from '#auth/principal.ts';
import { makeDnsLookup } from '#outbound/lookup.ts';
import { isPublicAddress } from '#outbound/public-address.ts';
import { type OutboundConnections, sendRequest } from '#outbound/send-request.ts';
import { makeWebhookSender } from '#webhook-endpoints/signing/send-webhook.ts';
import { toSecret } from '#webhook-endpoints/signing/sign-message.ts';
import { type NameServer, openNameServer } from '../outbound/name-server.ts';

// Nothing of these may reach the sentinel, which listens on every address of this machine.

const literals = [
  // loopback, in all spellings
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '127.0.1',
  '127.000.000.001',
  '127.255.255.254',
  '2130706433',
  '2130706433.',
  '0x7f.1',
  '0x7F.0x0.0x0.0x1',
  '0x7f000001',
  '017700000001',
  '0177.0.0.01',
  '%31%32%37.0.0.1',
  '①②⑦.⓪.⓪.①',
  '𝟏𝟐𝟕.𝟎.𝟎.𝟏',
  '127。0。0。1',
  '0',
  '0.0.0.0',
  'localhost',
  'localhost.',
  'LOCALHOST',
  'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ',
  'app.localhost',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  // IPv4 inside of IPv6
  '[::127.0.0.1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:7f00:0001]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::a9fe:a9fe]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2002:a9fe:a9fe::]',
  '[2001:0:1::]',
  // metadata services
  '169.254.169.254',
  '169.254.170.2',
  '2852039166',
  '0xA9FEA9FE',
  '0251.0376.0251.0376',
  '169.254.43518',
  '[::ffff:a9fe:a9fe]',
  '[fd00:ec2::254]',
  '100.100.100.200',
  '192.0.0.192',
  // other networks that are not the Internet
  '10.1.2.3',
  '100.64.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '192.0.2.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '[fe80::1]',
  '[fec0::1]',
  '[fc00::1]',
  '[ff02::1]',
  '[2001:db8::1]',
];

/** Names with their addresses. An IPv6 address is its bytes. All other names are of this machine. */
const names: Record<string, Record<number, string[]>> = {
  'metadata.google.internal': { 4: ['169.254.169.254'] },
  'private.example.com': { 4: ['10.0.0.1'] },
  'one-of-two.example.com': { 4: ['93.184.215.14', '127.0.0.1'] },
  'loopback6.example.com': { 6: ['00000000000000000000000000000001'] },
  'mapped.example.com': { 6: ['00000000000000000000ffff7f000001'] },
  'nat64.example.com': { 6: ['0064ff9b00000000000000007f000001'] },
  'other-family.example.com': {
    4: ['93.184.215.14'],
    6: ['00000000000000000000ffff7f000001'],
  },
};

const named = [
  ...Object.keys(names),
  'hooks.example.com',
  'HOOKS.example.com',
  'intranet',
  'bücher.example',
  'xn--bcher-kva.example',
  '127.0.0.1.example.com',
  '127.0.0.1\r\n.example.com',
  'ho\u00adoks.example.com',
];

const others = [
  '',
  ' ',
  'https://',
  'https://[',
  '//127.0.0.1/',
  '127.0.0.1',
  'file:///etc/passwd',
  'ftp://127.0.0.1/',
  'gopher://127.0.0.1:6379/_INFO',
  'dict://127.0.0.1:6379/INFO',
  'ldap://127.0.0.1/',
  'ws://127.0.0.1/',
  'wss://127.0.0.1/',
  'unix:/var/run/docker.sock',
  'data:text/plain,x',
  'javascript:alert(1)',
  'http://hooks.example.com/',
  'http://93.184.215.14/',
  'https://me@hooks.example.com/',
  'https://:pw@hooks.example.com/',
  'https://hooks.example.com@127.0.0.1/',
  'https://127.0.0.1\\@hooks.example.com/',
  'https://hooks.example.com/#@127.0.0.1',
  'https://hooks.example.com:22/',
  'https://hooks.example.com:25/',
  'https://hooks.example.com:8443/',
  'https://hooks.example.com:65536/',
  'https://hooks.example.com:-1/',
  'https://127.0.0.1%00.example.com/',
  'https://127.0.0.1%2f.example.com/',
  'https://[::1%25lo]/',
  'https://[127.0.0.1]/',
  'https://256.256.256.256/',
  'https://1.2.3.4.5/',
  // not the origin that the operator allows
  'http://receiver.example.com:9443/',
  'https://receiver.example.com:9444/',
  'https://receiver.example.com.:9443/',
  'https://hooks.example.com./',
  'https://receiver.example.com.evil.example:9443/',
  'https://receiver.example.com:9443@evil.example:9443/',
];

let nameServer: NameServer;
let connections: OutboundConnections;
let sentinel: Server;
let port: number;
let reached = 0;
const message = { id: 'msg_1', at: Date.now(), body: '{}' };
const secrets = [toSecret(Buffer.alloc(32))];

beforeAll(async () => {
  sentinel = createServer((socket) => {
    reached += 1;
    socket.destroy();
  });
  sentinel.listen(0);
  await once(sentinel, 'listening');
  port = (sentinel.address() as AddressInfo).port;
  nameServer = await openNameServer((name, family) =>
    names[name] ? (names[name][family] ?? []) : family === 4 ? ['127.0.0.1'] : [],
  );
  connections = {
    lookup: makeDnsLookup([nameServer.address]),
    isAllowed: isPublicAddress,
    deadline: () => new AbortController().signal,
  };
});
afterEach(() => {
  expect(reached).toBe(0);
});
afterAll(async () => {
  sentinel.close();
  await nameServer[Symbol.asyncDispose]();
});

function sendWebhook(url: string, origins = ['https://receiver.example.com:9443']) {
  const options = { ...openToAll, origins, elapsed: () => 0, connections };
  const endpoint = { id: 'an-endpoint', principal: anonymous, url, secrets };
  return makeWebhookSender(options)(endpoint, message);
}

const refused = (reason: string) => ({ outcome: 'refused', reason, durationMs: 0 });

describe('a hostile URL', () => {
  test('is one of more than a hundred', () => {
    expect(new Set([...literals, ...named, ...others]).size).toBeGreaterThan(100);
  });

  test.each(literals)('with an address of this network is refused: %s', async (literal) => {
    for (const text of [`https://${literal}/`, `https://${literal}:${port}/hook`])
      expect(await sendWebhook(text)).toEqual(refused('URL not allowed'));
  });

  test.each(literals)(
    'with an address of this network is refused at the address: %s',
    async (literal) => {
      for (const scheme of ['http', 'https']) {
        const url = new URL(`${scheme}://${literal}:${port}/hook`);
        const result = await sendRequest({ url, method: 'POST', body: '{}' }, connections);

        expect(result).toEqual({ outcome: 'refused', reason: 'address not allowed' });
      }
    },
  );

  test.each(named)('with a name of this network is refused: %s', async (name) => {
    const result = await sendWebhook(`https://${name}/`);
    const url = new URL(`https://${name}:${port}/hook`);
    const direct = await sendRequest({ url, method: 'POST', body: '{}' }, connections);

    expect(result).toEqual(refused('address not allowed'));
    expect(direct).toEqual({ outcome: 'refused', reason: 'address not allowed' });
  });

  test('with a name that does not exist looks like one with a private address', async () => {
    const missing = async () => {
      throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
    };
    const options = { ...openToAll, origins: [], elapsed: () => 0 };
    const sendTo = makeWebhookSender({
      ...options,
      connections: { ...connections, lookup: missing },
    });
    const endpoint = { id: 'an-endpoint', principal: anonymous, secrets };

    const result = await sendTo({ ...endpoint, url: 'https://missing.example.com/' }, message);

    expect(result).toEqual(await sendWebhook('https://private.example.com/'));
  });

  test.each(others)('with another fault is refused: %s', async (url) => {
    expect(await sendWebhook(url)).toEqual(refused('URL not allowed'));
  });

  test.each([
    ['a label', `https://${'a'.repeat(64)}.example.com/`],
    ['a name', `https://${'a.'.repeat(200)}example.com/`],
    ['a path', `https://hooks.example.com/${'a'.repeat(1_000_000)}`],
  ])('that is too long in %s is not sent', async (_what, url) => {
    const { outcome } = await sendWebhook(url);

    expect(outcome).not.toBe('delivered');
  });

  test.each([301, 302, 303, 307, 308])('of a redirect is not followed (%i)', async (status) => {
    const receiver = createHttpServer((request, response) => {
      request.resume();
      response.writeHead(status, { location: `http://127.0.0.1:${port}/` }).end();
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;

    const result = await sendWebhook(`${origin}/hook`, [origin]);
    receiver.close();

    expect(result).toMatchObject({ outcome: 'failed', status });
  });

  test('of a name that has another address at a second lookup is looked up once', async () => {
    const resolved: string[] = [];
    await using rebinding = await openNameServer((_name, family) => {
      if (family === 6) return [];
      resolved.push(resolved.length === 0 ? '127.0.0.1' : '127.0.0.2');
      return resolved.slice(-1);
    });
    let connected = 0;
    const receiver = createServer((socket) => {
      connected += 1;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as AddressInfo;

    const result = await sendRequest(
      { url: new URL(`https://hooks.example.com:${port}/`), method: 'POST' },
      {
        ...connections,
        lookup: makeDnsLookup([rebinding.address]),
        isAllowed: (address) => address === '127.0.0.1',
      },
    );
    receiver.close();

    expect(result).toMatchObject({ outcome: 'failed' });
    expect(connected).toBe(1);
    expect(resolved).toEqual(['127.0.0.1']);
  });
});

test('the sentinel counts what reaches it', async () => {
  const [counted] = await Promise.all([
    once(sentinel, 'connection').then(() => reached),
    sendRequest(
      { url: new URL(`http://127.0.0.1:${port}/`), method: 'POST' },
      { ...connections, isAllowed: () => true },
    ),
  ]);
  reached = 0;

  expect(counted).toBe(1);
});
