import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';

import { closeAtOnce } from '#edge/connections.ts';
import { openMetricsListener } from '#telemetry/metrics/listener.ts';
import type { LogLine } from '../../world.ts';

/** Opens a listener whose metrics are a text, or what `render` returns. */
async function open(render: () => Promise<string> = async () => 'a_metric 1\n') {
  const lines: LogLine[] = [];
  const log = { error: (facts: object, msg: string) => void lines.push({ ...facts, msg }) };
  const address = { host: '127.0.0.1', port: 0, log, closeAtOnce };
  const opened = await openMetricsListener({ render, contentType: 'text/plain' }, address);
  return { ...opened, lines };
}

/** Makes renderings that end when the test says so. */
function makeRenderings() {
  const pending: ((text: string) => void)[] = [];
  return {
    pending,
    render: () => new Promise<string>((resolve) => void pending.push(resolve)),
  };
}

const turns = async (condition: () => boolean) => {
  while (!condition()) await new Promise(setImmediate);
};

describe('the listener of metrics', () => {
  test('answers GET and HEAD of /metrics with a query or without', async () => {
    await using listener = await open();

    const [get, head, query] = await Promise.all([
      fetch(listener.url),
      fetch(listener.url, { method: 'HEAD' }),
      fetch(`${listener.url}?name=a`),
    ]);

    expect(listener.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
    expect([get.status, head.status, query.status]).toEqual([200, 200, 200]);
    expect(await get.text()).toBe('a_metric 1\n');
    expect(await head.text()).toBe('');
    expect(head.headers.get('content-length')).toBe('11');
    expect(get.headers.get('content-type')).toBe('text/plain');
    expect(get.headers.get('cache-control')).toBe('no-store');
  });

  test.each([
    ['POST', '/metrics', 405],
    ['OPTIONS', '/metrics', 405],
    ['GET', '/', 404],
    ['GET', '/metrics/', 404],
    ['DELETE', '/export-jobs/1', 404],
  ])('refuses %s %s with %i', async (method, path, status) => {
    await using listener = await open();

    const answer = await fetch(new URL(path, listener.url), { method });

    expect(answer.status).toBe(status);
    expect(answer.headers.get('allow')).toBe(status === 405 ? 'GET, HEAD' : null);
  });

  test('renders once for scrapes at the same time', async () => {
    const { pending, render } = makeRenderings();
    await using listener = await open(render);

    const scrapes = [fetch(listener.url), fetch(listener.url)];
    await turns(() => pending.length > 0);
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    pending[0]?.('both 1\n');
    const texts = await Promise.all(scrapes.map(async (scrape) => (await scrape).text()));

    expect(texts).toEqual(['both 1\n', 'both 1\n']);
    expect(pending).toHaveLength(1);
  });

  test('refuses more than four scrapes at once, and serves again afterwards', async () => {
    const { pending, render } = makeRenderings();
    await using listener = await open(render);
    const scrapes = Array.from({ length: 5 }, () => fetch(listener.url));

    const refused = await Promise.race(scrapes);
    pending[0]?.('a 1\n');
    const statuses = (await Promise.all(scrapes)).map(({ status }) => status);
    const last = fetch(listener.url);
    await turns(() => pending.length > 1);
    pending[1]?.('a 2\n');

    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(statuses.toSorted()).toEqual([200, 200, 200, 200, 503]);
    expect((await last).status).toBe(200);
  });

  test('answers 500 and logs when the metrics cannot be rendered', async () => {
    const err = new Error('a defect');
    await using listener = await open(async () => {
      throw err;
    });

    const { status } = await fetch(listener.url);

    expect(status).toBe(500);
    expect(listener.lines).toEqual([{ err, msg: 'failed to render the metrics' }]);
  });

  test('closes the connection of bytes that are no request, or of long headers', async () => {
    await using listener = await open();
    const port = Number(new URL(listener.url).port);

    for (const bytes of [
      'hello\r\n\r\n',
      `GET /metrics HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`,
    ]) {
      const socket = connect(port, '127.0.0.1');
      socket.write(bytes);
      expect(await text(socket)).toBe('');
    }
  });

  test.each([
    ['', 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n'],
    [' without Host', 'GET /metrics HTTP/1.1\r\n\r\n'],
    [' with an expectation', 'GET /metrics HTTP/1.1\r\nHost: a\r\nExpect: more\r\n\r\n'],
  ])(
    'closes the connection of a request%s that does not wait for the answer before',
    async (_, request) => {
      const { pending, render } = makeRenderings();
      await using listener = await open(render);
      const socket = connect(Number(new URL(listener.url).port), '127.0.0.1');

      socket.write(request.repeat(1_000));

      expect(await text(socket)).toBe('');
      expect(pending).toHaveLength(1);
    },
  );

  test('closes its connections when it is closed', async () => {
    const listener = await open();
    const socket = connect(Number(new URL(listener.url).port), '127.0.0.1');
    await once(socket, 'connect');

    await listener[Symbol.asyncDispose]();

    expect(await text(socket)).toBe('');
    await expect(fetch(listener.url)).rejects.toThrow('fetch failed');
  });
});
