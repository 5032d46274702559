import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';

import { callersBy } from '../access.ts';
import { openWorld } from '../world.ts';
import { type CliOptions, runCli } from './run-cli.ts';

const secret = 'canary-of-the-command-line';

/** Runs `log-export jobs` with a file for each path, and keeps the headers that were sent. */
async function jobsWith(
  env: Record<string, string>,
  files: Record<string, string>,
  options: CliOptions = {},
) {
  const sent: Headers[] = [];
  const run = await runCli('jobs', {
    env,
    readFile(path) {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error('none'), { code: 'ENOENT' });
      return text;
    },
    fetch: async (_url, init) => {
      sent.push(new Headers(init?.headers));
      return Response.json({ exportJobs: [] });
    },
    ...options,
  });
  expect(run.stdout + run.stderr).not.toContain(secret);
  return { ...run, sent };
}

describe('the credential', () => {
  test('is the token of LOG_EXPORT_TOKEN_FILE', async () => {
    const { code, sent } = await jobsWith(
      { LOG_EXPORT_TOKEN_FILE: '/token' },
      { '/token': `${secret}\n` },
    );

    expect(code).toBe(0);
    expect(sent[0]?.get('authorization')).toBe(`Bearer ${secret}`);
  });

  test('is the key of LOG_EXPORT_API_KEY_FILE', async () => {
    const { sent } = await jobsWith({ LOG_EXPORT_API_KEY_FILE: '/key' }, { '/key': secret });

    expect(sent[0]?.get('x-api-key')).toBe(secret);
    expect(sent[0]?.get('authorization')).toBeNull();
  });

  test('is absent without a setting', async () => {
    const { code, sent } = await jobsWith({ LOG_EXPORT_TOKEN_FILE: '' }, {});

    expect(code).toBe(0);
    expect(sent[0]?.get('authorization')).toBeNull();
  });

  test('is read for each request', async () => {
    const tokens = ['first', 'second'];
    const received: (string | undefined)[] = [];
    const server = createServer(({ headers }, response) => {
      received.push(headers.authorization);
      const problem = { type: 'x', title: 'x', detail: 'x', isRetryable: true };
      if (received.length > 1)
        response.setHeader('content-type', 'application/json').end('{"exportJobs":[]}');
      else
        response
          .writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' })
          .end(JSON.stringify(problem));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    const { code } = await runCli('jobs', {
      env: { LOG_EXPORT_URL: `http://127.0.0.1:${port}`, LOG_EXPORT_TOKEN_FILE: '/token' },
      readFile: () => tokens.shift() ?? '',
    });
    server.close();

    expect(code).toBe(0);
    expect(received).toEqual(['Bearer first', 'Bearer second']);
  });

  test.each([
    ['an unreadable file', {}, /names a file that cannot be read: \/token \(ENOENT\)\./],
    ['an empty file', { '/token': '\n' }, /names an empty file: \/token\./],
    ['several lines', { '/token': `${secret}\n${secret}` }, /one line of ASCII without spaces/],
    ['a control character', { '/token': `${secret}\u0000` }, /one line of ASCII/],
    ['a character outside of ASCII', { '/token': `${secret}ü` }, /one line of ASCII/],
  ])('is refused with code 2 for %s', async (_what, files, message) => {
    const { code, stderr, sent } = await jobsWith({ LOG_EXPORT_TOKEN_FILE: '/token' }, files);

    expect({ code, sent }).toEqual({ code: 2, sent: [] });
    expect(stderr).toMatch(message);
  });

  test('is refused with code 2 if there are two', async () => {
    const env = { LOG_EXPORT_TOKEN_FILE: '/token', LOG_EXPORT_API_KEY_FILE: '/key' };

    const { code, stderr } = await jobsWith(env, { '/token': secret, '/key': secret });

    expect(code).toBe(2);
    expect(stderr).toContain('Set only one of LOG_EXPORT_TOKEN_FILE and LOG_EXPORT_API_KEY_FILE.');
  });
});

describe('plain HTTP', () => {
  const env = (url: string) => ({ LOG_EXPORT_URL: url, LOG_EXPORT_TOKEN_FILE: '/token' });
  const files = { '/token': secret };

  test.each([
    'http://log-export.example.com',
    'http://10.0.0.1:8080',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://0.0.0.0:8080',
    'http://[::2]:8080',
  ])('carries no credential to %s', async (url) => {
    const { code, stderr, sent } = await jobsWith(env(url), files);

    expect({ code, sent }).toEqual({ code: 2, sent: [] });
    expect(stderr).toContain('is neither HTTPS nor this machine');
  });

  test.each([
    'http://localhost:8080',
    'http://127.1:8080',
    'http://[::1]:8080',
    'https://a.example',
  ])('does not matter for %s', async (url) => {
    expect(await jobsWith(env(url), files)).toMatchObject({ code: 0 });
  });

  test('carries a credential with LOG_EXPORT_PLAIN_HTTP=allowed', async () => {
    const url = 'http://log-export.example.com';
    const allowed = await jobsWith({ ...env(url), LOG_EXPORT_PLAIN_HTTP: 'allowed' }, files);
    const other = await jobsWith({ ...env(url), LOG_EXPORT_PLAIN_HTTP: 'no' }, files);

    expect([allowed.code, other.code]).toEqual([0, 2]);
  });

  test('is used without a credential', async () => {
    expect(await jobsWith({ LOG_EXPORT_URL: 'http://log-export.example.com' }, {})).toMatchObject({
      code: 0,
    });
  });
});

describe('LOG_EXPORT_URL', () => {
  test.each([
    'log-export.example.com',
    'ftp://log-export.example.com',
    `https://ann:${secret}@log-export.example.com`,
    `https://log-export.example.com/?key=${secret}`,
    'https://log-export.example.com/#a',
  ])('is refused with code 2: %s', async (url) => {
    const { code, stderr, sent } = await jobsWith({ LOG_EXPORT_URL: url }, {});

    expect({ code, sent }).toEqual({ code: 2, sent: [] });
    expect(stderr).toMatch(/LOG_EXPORT_URL must /);
  });

  test('may have a base path', async () => {
    const urls: string[] = [];

    const { code } = await jobsWith(
      { LOG_EXPORT_URL: 'https://tools.example.com/exports/' },
      {},
      {
        fetch: async (url) => {
          urls.push(String(url));
          return Response.json({ exportJobs: [] });
        },
      },
    );

    expect({ code, urls }).toEqual({
      code: 0,
      urls: ['https://tools.example.com/exports/export-jobs'],
    });
  });
});

test('a wrong base path in LOG_EXPORT_URL ends with code 5', async () => {
  await using world = await openWorld({ jobs: {} });

  const { code, stderr } = await runCli('jobs', { env: { LOG_EXPORT_URL: `${world.url}/wrong` } });

  expect(code).toBe(5);
  expect(stderr).toMatch(
    /^log-export: Unknown path \(404 no-such-route\)\n[^\n]+\nRemedy: Check the base path in LOG_EXPORT_URL\. /,
  );
  expect(stderr).not.toContain('openapi.json');
});

describe('a caller that is not permitted ends with code 3', () => {
  test('without a credential', async () => {
    await using world = await openWorld({ jobs: {}, access: callersBy(() => true) });

    const { code, stderr } = await runCli('jobs', { env: { LOG_EXPORT_URL: world.url } });

    expect(code).toBe(3);
    expect(stderr).toContain('log-export: Authentication required (401 unauthenticated)');
    expect(stderr).toMatch(/^Remedy: Set LOG_EXPORT_TOKEN_FILE to a file with a valid token, or /m);
    expect(stderr).toMatch(/^WWW-Authenticate: \S.*$/m);
    expect(stderr).toMatch(/^Request id: [0-9a-f-]{36}$/m);
  });

  test('for an export that the policies refuse', async () => {
    await using world = await openWorld({ jobs: {}, access: callersBy(() => false) });
    const asAnn: typeof fetch = (url, init) => {
      const headers = new Headers(init?.headers);
      headers.set('x-test-caller', 'ann');
      return fetch(url, { ...init, headers });
    };

    const { code, stderr } = await runCli(
      'run /app --from 2024-05-01 --to 2024-05-02 --destination archive',
      { env: { LOG_EXPORT_URL: world.url }, fetch: asAnn },
    );

    expect(code).toBe(3);
    expect(stderr).toContain('(403 not-permitted)');
    expect(stderr).toMatch(/^Remedy: /m);
  });
});
