import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import https, { Agent } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';

import { openToAll } from '#auth/access.ts';
import { anonymous } from '#auth/principal.ts';
import type { OutboundConnections } from '#outbound/send-request.ts';
import { makeWebhookSender } from '#webhook-endpoints/signing/send-webhook.ts';
import { toSecret } from '#webhook-endpoints/signing/sign-message.ts';
import { type Authority, makeAuthority } from '../auth/certificates.ts';
import { sendInterimAnswers } from '../outbound/interim-answers.ts';

const authority: Authority = makeAuthority('webhooks');
const secrets = [toSecret(randomBytes(32))];
const message = { id: 'msg_1', at: Date.now(), body: '{"type":"webhook.test"}' };

interface Received {
  method: string | undefined;
  url: string | undefined;
  headers: Record<string, string>;
  body: string;
}

const seen: Received[] = [];
let answer: RequestListener;
let server: https.Server;
let origin: string;
const servers: Server[] = [];

beforeAll(async () => {
  const identity = authority.issue({ names: [['dns', 'localhost']], use: 'server' });
  server = https.createServer(identity, receive);
  origin = `https://localhost:${await listen(server)}`;
});
afterAll(() => {
  for (const each of servers) each.close();
});
afterEach(() => {
  seen.length = 0;
  answer = (_request, response) => response.writeHead(204).end();
});

const receive: RequestListener = (request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    const { method, url } = request;
    seen.push({ method, url, headers: request.headers as Record<string, string>, body });
    answer(request, response);
  });
};

async function listen(opened: Server): Promise<number> {
  servers.push(opened);
  opened.listen(0, 'localhost');
  await once(opened, 'listening');
  return (opened.address() as AddressInfo).port;
}

/** Sends the message to an origin that the operator allows. */
function send(url = `${origin}/hook?a=b`, options: Partial<OutboundConnections> = {}) {
  let now = 0;
  const sendWebhook = makeWebhookSender({
    ...openToAll,
    origins: [new URL(url).origin],
    elapsed: () => {
      now += 7;
      return now;
    },
    connections: {
      lookup: async () => [],
      isAllowed: () => false,
      deadline: () => new AbortController().signal,
      ca: authority.cert,
      ...options,
    },
  });
  return sendWebhook({ id: 'an-endpoint', principal: anonymous, url, secrets }, message);
}

describe('a webhook', () => {
  test('is one POST that the library of the standard verifies, and delivered by any 2xx', async () => {
    answer = (_request, response) => response.writeHead(202).end('{"ok":true}');

    const result = await send();

    expect(result).toEqual({ outcome: 'delivered', status: 202, durationMs: 7 });
    const [received] = seen as [Received];
    expect(received).toEqual({
      method: 'POST',
      url: '/hook?a=b',
      headers: {
        host: new URL(origin).host,
        'user-agent': 'log-export-gateway',
        'content-type': 'application/json',
        'content-length': '23',
        connection: 'close',
        'webhook-id': 'msg_1',
        'webhook-timestamp': String(Math.floor(message.at / 1_000)),
        'webhook-signature': expect.stringMatching(/^v1,/),
      },
      body: message.body,
    });
    expect(new Webhook(secrets[0] as string).verify(received.body, received.headers)).toEqual({
      type: 'webhook.test',
    });
    expect(seen).toHaveLength(1);
  });

  test('goes over plain HTTP to an origin that the operator allows', async () => {
    answer = (_request, response) => response.end();
    const port = await listen(createHttpServer(receive));

    const result = await send(`http://localhost:${port}/hook`);

    expect(result).toMatchObject({ outcome: 'delivered', status: 200 });
    expect(seen).toHaveLength(1);
  });

  test.each([
    [301, 'failed'],
    [302, 'failed'],
    [307, 'failed'],
    [308, 'failed'],
    [400, 'failed'],
    [404, 'failed'],
    [410, 'gone'],
    [429, 'failed'],
    [500, 'failed'],
    [503, 'failed'],
  ])('is answered with %i: %s, and follows no redirect', async (status, outcome) => {
    answer = (_request, response) =>
      response.writeHead(status, { location: `${origin}/elsewhere` }).end();

    const result = await send();

    expect(result).toEqual({ outcome, status, reason: `status ${status}`, durationMs: 7 });
    expect(seen).toHaveLength(1);
  });

  test.each([
    ['120', 120_000],
    [new Date(Math.ceil(message.at / 1_000) * 1_000 + 60_000).toUTCString(), 60_000],
    ['0', undefined],
    ['-5', undefined],
    ['soon', undefined],
    ['1e99', undefined],
    [new Date(message.at - 60_000).toUTCString(), undefined],
  ])('reads how long to wait from Retry-After: %s', async (text, waitMs) => {
    answer = (_request, response) => response.writeHead(503, { 'retry-after': text }).end();

    const { retryAfterMs } = await send();

    if (waitMs === undefined) expect(retryAfterMs).toBeUndefined();
    else expect(Math.abs((retryAfterMs ?? 0) - waitMs)).toBeLessThan(1_000);
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

  test.each([
    [8, 'delivered', { status: 204 }],
    [1_000, 'failed', { reason: 'too many interim answers' }],
  ])('with %i interim answers is %s', async (count, outcome, members) => {
    const closed = Promise.withResolvers<void>();
    answer = (_request, response) => {
      response.on('close', closed.resolve);
      sendInterimAnswers(response, { count, end: () => response.writeHead(204).end() });
    };

    expect(await send()).toEqual({ outcome, ...members, durationMs: 7 });
    await closed.promise;
  });

  test('fails when the answer does not come in time', async () => {
    const deadline = new AbortController();
    answer = () => deadline.abort();

    const result = await send(undefined, { deadline: () => deadline.signal });

    expect(result).toEqual({ outcome: 'failed', reason: 'timeout', durationMs: 7 });
  });

  test.each([
    [
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
      /^status 101$/,
    ],
    ['no HTTP\r\n\r\n', /^HPE_/],
    ['', /^ECONNRESET$/],
    [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(99_999)}\r\n\r\n`, /^HPE_HEADER_OVERFLOW$/],
  ])('fails when the answer is not one of HTTP: %#', async (bytes, reason) => {
    const plain = createServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.end(bytes));
    });
    const port = await listen(plain);

    const result = await send(`http://localhost:${port}/`);

    expect(result).toMatchObject({ outcome: 'failed', reason: expect.stringMatching(reason) });
  });

  test('fails with the code of the fault, without the path of the URL and without the secret', async () => {
    const port = new URL(origin).port;
    const faults = {
      ECONNREFUSED: send('https://localhost:1/s3cr3t'),
      ERR_TLS_CERT_ALTNAME_INVALID: send(`https://127.0.0.1:${port}/s3cr3t`),
      UNABLE_TO_VERIFY_LEAF_SIGNATURE: send(undefined, { ca: makeAuthority('other').cert }),
    };

    for (const [reason, sent] of Object.entries(faults)) {
      const result = await sent;
      expect(result).toMatchObject({ outcome: 'failed', reason });
      expect(JSON.stringify(result)).not.toMatch(/s3cr3t|whsec_/);
    }
    expect(seen).toEqual([]);
  });

  test('goes through no proxy, also if the agent of the process has one', async () => {
    const usual = https.globalAgent;
    https.globalAgent = new Agent({ proxyEnv: { HTTPS_PROXY: 'http://127.0.0.1:1' } });

    const result = await send().finally(() => {
      https.globalAgent = usual;
    });

    expect(result).toMatchObject({ outcome: 'delivered' });
  });
});
