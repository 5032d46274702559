import { describe, expect, test } from 'vitest';

import { callersBy } from '../access.ts';
import { openWorld } from '../world.ts';
import { talk } from './raw.ts';

/** Sends a request with this Host header. */
async function askAs(port: number, host: string, path = '/targets') {
  const { answers } = await talk(port, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  const [{ status, text } = { status: 0, text: '{}' }] = answers;
  return { status, type: JSON.parse(text).type as string | undefined };
}

describe('the check of the Host header', () => {
  const allowedHosts = ['localhost', '127.0.0.1', '[::1]'];
  const refused = { status: 421, type: '/problems/host-not-allowed' };

  test.for(['localhost', 'LOCALHOST:8080', 'localhost.', '127.0.0.1:1', '[::1]', '[::1]:8080'])(
    'accepts the name %s',
    async (host) => {
      await using world = await openWorld({ allowedHosts });

      expect((await askAs(world.port, host)).status).toBe(200);
    },
  );

  test.for([
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    'localhost@evil.example',
    'evil.example:localhost',
    '127.0.0.1.evil.example',
    '[::2]',
    '2130706433',
    '',
  ])('rejects the foreign name "%s"', async (host) => {
    await using world = await openWorld({ allowedHosts });

    expect(await askAs(world.port, host)).toEqual(refused);
  });

  test('rejects HTTP/1.0 without a Host header', async () => {
    await using world = await openWorld({ allowedHosts });

    const { answers } = await talk(world.port, 'GET /targets HTTP/1.0\r\n\r\n');

    expect(answers[0]?.status).toBe(421);
  });

  test('accepts probes with any name', async () => {
    await using world = await openWorld({ allowedHosts });

    const { answers } = await talk(
      world.port,
      'GET /health/live HTTP/1.1\r\nHost: 10.1.2.3:8080\r\n\r\n',
    );

    expect(answers[0]?.status).toBe(200);
  });

  test('applies to pages and documents, too', async () => {
    await using world = await openWorld({ allowedHosts });

    for (const path of ['/docs', '/openapi.json', '/problems', '/nowhere']) {
      expect(await askAs(world.port, 'evil.example', path), path).toEqual(refused);
    }
  });
});

describe('a script of another origin', () => {
  const origin = 'https://app.example.com';
  const preflight = { origin, 'access-control-request-method': 'POST' };
  const access = callersBy(() => true);

  test('gets an answer to its preflight without credentials', async () => {
    await using world = await openWorld({ corsOrigins: [origin], access });

    const answer = await world.call('OPTIONS', '/export-jobs', undefined, preflight);

    expect(answer.status).toBe(204);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, HEAD, POST, PATCH, DELETE',
      'access-control-allow-headers': expect.stringContaining('Idempotency-Key'),
      'access-control-max-age': '600',
      vary: 'Origin',
    });
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('may read answers, refusals and the necessary headers', async () => {
    await using world = await openWorld({ corsOrigins: ['https://other.example', origin], access });

    const answer = await world.call('GET', '/targets', undefined, { origin });

    expect(answer.status).toBe(401);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    const exposed = answer.headers.get('access-control-expose-headers');
    for (const name of [
      'Location',
      'ETag',
      'Retry-After',
      'Age',
      'RateLimit',
      'RateLimit-Policy',
    ]) {
      expect(exposed?.split(', '), name).toContain(name);
    }
  });

  test.for([
    ['by default', undefined],
    ['of an origin that is not listed', ['https://app.example.com.evil.example']],
    ['of another scheme', ['http://app.example.com']],
  ] as [string, string[] | undefined][])('is not allowed: %s', async ([, corsOrigins]) => {
    await using world = await openWorld(corsOrigins ? { corsOrigins } : {});

    const asked = await world.call('OPTIONS', '/export-jobs', undefined, preflight);
    const read = await world.call('GET', '/targets', undefined, { origin });

    expect([asked.status, asked.body.type]).toEqual([403, '/problems/origin-not-allowed']);
    expect(read.status).toBe(200); // the browser hides it from the script
    for (const { headers } of [asked, read]) {
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('gets 405 for OPTIONS that is not a preflight', async () => {
    await using world = await openWorld({ corsOrigins: [origin] });

    expect((await world.call('OPTIONS', '/targets', undefined, { origin })).status).toBe(405);
  });
});

describe('a page of another origin', () => {
  const listed = 'https://app.example.com';
  const evil = 'https://evil.example';
  const refused = [403, '/problems/origin-not-allowed'];

  /** Sends a POST that needs no preflight; returns the status, and whether AWS was called. */
  async function cancelWith(headers: Record<string, string>, corsOrigins?: string[]) {
    await using world = await openWorld(corsOrigins ? { corsOrigins } : {});
    const path = '/export-tasks/some-task/cancel';
    const lines = Object.entries({ Host: 'localhost:8080', ...headers });
    const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const bytes = `POST ${path} HTTP/1.1\r\n${text}Content-Length: 0\r\n\r\n`;
    const { answers } = await talk(world.port, bytes);
    const { type } = JSON.parse(answers[0]?.text ?? '{}');
    return { answer: [answers[0]?.status, type], calls: world.calls('CancelExportTask').length };
  }

  test.each([
    [{ Origin: evil }],
    [{ Origin: 'null' }],
    [{ Origin: 'http://localhost' }],
    [{ Origin: 'http://localhost:8081' }],
    [{ Origin: 'http://localhost:8080.evil.example' }],
    [{ Origin: 'localhost:8080' }],
    [{ Origin: '' }],
    [{ Origin: evil, 'Sec-Fetch-Site': 'cross-site' }],
    [{ 'Sec-Fetch-Site': 'cross-site' }],
    [{ 'Sec-Fetch-Site': 'same-site', Origin: 'http://other.localhost:8080' }],
    [{ 'Sec-Fetch-Site': 'same-origin, none' }],
    [{ 'Sec-Fetch-Site': '' }],
  ])('cannot change anything without a preflight: %j', async (headers) => {
    expect(await cancelWith(headers)).toEqual({ answer: refused, calls: 0 });
  });

  test.each([
    [{}],
    [{ Origin: 'http://localhost:8080' }],
    [{ Origin: 'http://LOCALHOST:8080' }],
    [{ Host: 'gateway.example', Origin: 'https://gateway.example' }],
    [{ Host: 'gateway.example:443', Origin: 'https://gateway.example' }],
    [{ Host: '[::1]:8080', Origin: 'http://[::1]:8080' }],
    [{ Host: 'internal:8080', Origin: 'https://gateway.example', 'Sec-Fetch-Site': 'same-origin' }],
    [{ 'Sec-Fetch-Site': 'none' }],
  ])('is not the sender of %j', async (headers) => {
    const { answer, calls } = await cancelWith(headers);

    expect([answer, calls]).toEqual([[404, '/problems/export-task-not-found'], 1]);
  });

  test('may change something only if CORS_ORIGINS contains its origin', async () => {
    const site = { 'Sec-Fetch-Site': 'cross-site' };

    const ofListed = await cancelWith({ Origin: listed, ...site }, [listed]);
    const ofOther = await cancelWith({ Origin: evil, ...site }, [listed]);
    const ofNobody = await cancelWith(site, [listed]);

    expect(ofListed.calls).toBe(1);
    expect([ofOther, ofNobody]).toEqual(Array(2).fill({ answer: refused, calls: 0 }));
  });

  test('is rejected before the body is read in every operation that is not a read', async () => {
    await using world = await openWorld({ jobs: {} });
    const headers = { 'sec-fetch-site': 'cross-site' };
    const changes = ['/export-tasks', '/export-jobs', '/export-jobs/x/retry', '/nowhere'];

    for (const path of changes) {
      const { status, body } = await world.call('POST', path, '{', headers);
      expect([path, status, body.type]).toEqual([path, ...refused]);
    }
    const read = await world.call('GET', '/targets', undefined, headers);
    expect(read.status).toBe(200);
  });
});

test('keeps an idle connection for the configured time', async () => {
  await using world = await openWorld({ limits: { keepAliveMs: 620_000 } });

  const { headers } = await world.call('GET', '/health/live');

  expect(headers.get('keep-alive')).toBe('timeout=620');
});
