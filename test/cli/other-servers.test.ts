import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { describe, expect, test } from 'vitest';

import { runCli } from './run-cli.ts';

/** Opens a server on a free port. */
async function listen(server: Server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    [Symbol.dispose]() {
      server.close();
      if ('closeAllConnections' in server) (server.closeAllConnections as () => void)();
    },
  };
}

const openHttp = (listener: RequestListener) => listen(createServer(listener));

/** A clock that each question advances by a second, so that no patience lasts. */
function hastyClock() {
  let at = 0;
  return () => {
    at += 1_000;
    return at;
  };
}

const jobs = (url: string, options: Parameters<typeof runCli>[1] = {}) =>
  runCli('jobs', { env: { LOG_EXPORT_URL: url }, now: hastyClock(), ...options });

describe('a server that is not the gateway ends the command with code 5', () => {
  test.each<[what: string, listener: RequestListener, message: RegExp]>([
    [
      'a page of HTML',
      (_request, response) => response.setHeader('content-type', 'text/html').end('<h1>Hi</h1>'),
      /answers 200 with text\/html\. It is not the gateway: check LOG_EXPORT_URL\./,
    ],
    [
      'an answer without a type',
      (_request, response) => response.end('ok'),
      /answers 200 with no content type/,
    ],
    [
      'a redirect, which is not followed',
      (_request, response) =>
        response.writeHead(302, { location: 'https://login.example.com/?token=secret' }).end(),
      /redirects to https:\/\/login\.example\.com\. /,
    ],
    [
      'a redirect to nowhere',
      (_request, response) => response.writeHead(302).end(),
      /redirects to nowhere/,
    ],
    [
      'JSON of another service',
      (_request, response) => response.setHeader('content-type', 'application/json').end('[]'),
      /answers with a document of another kind/,
    ],
    [
      'truncated JSON',
      (_request, response) =>
        response.setHeader('content-type', 'application/json').end('{"exportJobs":['),
      /answers with incomplete or invalid JSON/,
    ],
    [
      'an error that is no problem',
      (_request, response) =>
        response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":"x"}'),
      /answers 404 without a problem/,
    ],
  ])('%s', async (_what, listener, message) => {
    let requests = 0;
    using server = await openHttp((request, response) => {
      requests += 1;
      listener(request, response);
    });

    const { code, stdout, stderr } = await jobs(server.url);

    expect({ code, stdout, requests }).toEqual({ code: 5, stdout: '', requests: 1 });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('secret');
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('something that does not speak HTTP', async () => {
    using server = await listen(createTcpServer((socket) => socket.end('220 mail ready\r\n')));

    const { code, stderr } = await jobs(server.url);

    expect(code).toBe(5);
    expect(stderr).toMatch(
      /The connection to \S+ failed \(HTTPParserError\)\. Check LOG_EXPORT_URL/,
    );
  });

  test('a server without TLS at an https URL', async () => {
    using server = await openHttp((_request, response) => response.end());

    const { code, stderr } = await jobs(server.url.replace('http:', 'https:'));

    expect(code).toBe(5);
    expect(stderr).toMatch(/failed \(ERR_SSL_\w+\)\. Check LOG_EXPORT_URL\.\n$/);
  });

  test('a port that is for something else', async () => {
    const { code, stderr } = await jobs('http://127.0.0.1:6000');

    expect(code).toBe(5);
    expect(stderr).toContain('failed (bad port). Check LOG_EXPORT_URL.');
  });
});

describe('a gateway that is away ends the command with code 5, after further attempts', () => {
  test.each<[what: string, listener: RequestListener, reason: string]>([
    [
      'behind a proxy that answers 502',
      (_request, response) =>
        response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad Gateway</h1>'),
      'a proxy in front of it answers 502',
    ],
    [
      'behind a proxy that answers 503 in JSON',
      (_request, response) =>
        response
          .writeHead(503, { 'content-type': 'application/json' })
          .end('{"message":"Service Unavailable"}'),
      'a proxy in front of it answers 503',
    ],
    [
      'behind a proxy that limits requests',
      (_request, response) =>
        response.writeHead(429, { 'content-type': 'text/html' }).end('<h1>Too Many Requests</h1>'),
      'a proxy in front of it answers 429',
    ],
    [
      'with a connection that breaks',
      (request) => request.socket.destroy(),
      'the connection broke',
    ],
    [
      'with an answer that breaks off',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-length': 1_000 });
        response.write('{"exportJobs":');
        setImmediate(() => response.destroy());
      },
      'the connection broke',
    ],
  ])('%s', async (_what, listener, reason) => {
    let requests = 0;
    using server = await openHttp((request, response) => {
      requests += 1;
      listener(request, response);
    });

    const { code, stderr } = await jobs(server.url);

    expect(code).toBe(5);
    expect(requests).toBeGreaterThan(1);
    expect(stderr).toContain(`does not answer: ${reason}. Trying again for `);
    expect(stderr.trimEnd().split('\n').at(-1)).toBe(
      `log-export: The gateway at ${server.url} does not answer: ${reason}.`,
    );
  });

  test('on a closed port', async () => {
    const server = await openHttp(() => {});
    server[Symbol.dispose]();

    const { code, stderr } = await jobs(server.url);

    expect(code).toBe(5);
    expect(stderr).toContain('does not answer: nothing listens there.');
  });

  test('at the default URL, with a hint', async () => {
    const refuse = async () => {
      throw new TypeError('fetch failed', { cause: { errors: [{ code: 'ECONNREFUSED' }] } });
    };

    const { code, stderr } = await runCli('jobs', { fetch: refuse, now: hastyClock() });

    expect(code).toBe(5);
    expect(stderr).toContain(
      'The gateway at http://127.0.0.1:8080 does not answer: nothing listens there. Set LOG_EXPORT_URL if it is elsewhere.',
    );
  });

  test('when it accepts requests and says nothing', async () => {
    const accepted = Promise.withResolvers<void>();
    using server = await openHttp(() => accepted.resolve());
    const late = new AbortController();
    void accepted.promise.then(() => late.abort());

    const { code, stderr } = await jobs(server.url, { timeout: () => late.signal });

    expect(code).toBe(5);
    expect(stderr).toContain('does not answer: no answer arrived in time.');
  });

  test('says when it answers again', async () => {
    let requests = 0;
    using server = await openHttp((request, response) => {
      requests += 1;
      if (requests < 3) request.socket.destroy();
      else response.setHeader('content-type', 'application/json').end('{"exportJobs":[]}');
    });

    const { code, stderr } = await jobs(server.url);

    expect(code).toBe(0);
    expect(stderr).toMatch(
      /does not answer[^\n]*\nThe gateway answers again\.\nNothing found\.\n$/,
    );
  });
});

describe('an answer with Retry-After', () => {
  const problem = (status: number, title: string, isRetryable = true) =>
    JSON.stringify({
      type: '/problems/of-the-test',
      title,
      status,
      detail: 'Detail.',
      remedy: 'Wait.',
      instance: 'urn:uuid:0',
      isRetryable,
    });
  const refusing = (status: number, retryAfter: string, times: number, isRetryable = true) => {
    let requests = 0;
    return openHttp((_request, response) => {
      requests += 1;
      if (requests > times) {
        response.setHeader('content-type', 'application/json').end('{"exportJobs":[]}');
      } else {
        response
          .writeHead(status, {
            'content-type': 'application/problem+json',
            'retry-after': retryAfter,
          })
          .end(problem(status, 'Too busy', isRetryable));
      }
    });
  };

  test.each([429, 503])('%i is waited out', async (status) => {
    using server = await refusing(status, '3', 2);
    const slept: number[] = [];
    const sleep = async (ms: number) => void slept.push(ms);

    const { code, stderr } = await jobs(server.url, { sleep, now: () => 0 });

    expect({ code, slept }).toEqual({ code: 0, slept: [3_000, 3_000] });
    expect(stderr).toBe('Too busy. Trying again in 3 seconds.\nNothing found.\n');
  });

  test.each([
    [429, 4],
    [503, 5],
  ])(
    '%i ends the command with code %i if it is longer than the time left',
    async (status, code) => {
      using server = await refusing(status, '600', 1);

      const run = await jobs(server.url, { now: () => 0 });

      expect(run.code).toBe(code);
      expect(run.stderr).toContain(
        `log-export: Too busy (${status} of-the-test)\nDetail.\nRemedy: Wait.\n`,
      );
    },
  );

  test('ends the command at once if a repetition cannot help', async () => {
    using server = await refusing(429, '1', 1, false);

    expect(await jobs(server.url)).toMatchObject({ code: 4 });
  });
});
