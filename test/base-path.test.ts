import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { readConfig } from '#config/read-config.ts';
import { archiveBody } from './archives/archives-of-callers.ts';
import { talk } from './edge/raw.ts';
import { bringTo, givenJob, jobBody, sliceProblem } from './export-jobs/accepted-jobs.ts';
import { openStrippingProxy, type StrippingProxy } from './stripping-proxy.ts';
import { createBody, openWorld, type World } from './world.ts';

const basePath = '/logs-gateway';

let world: World;
let proxy: StrippingProxy;
beforeAll(async () => {
  world = await openWorld({ basePath, jobs: {} });
  proxy = await openStrippingProxy(basePath, world.port);
});
afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await world[Symbol.asyncDispose]();
});

/** Follows a reference like a client: relative to the URL it called. */
async function follow(reference: string, init: RequestInit = {}) {
  const answer = await fetch(new URL(reference, `${proxy.url}/`), { redirect: 'manual', ...init });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.includes('json');
  return { status: answer.status, headers: answer.headers, text, body: isJson && JSON.parse(text) };
}
const send = (path: string, body: unknown) =>
  follow(proxy.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

/** Every text in a value that a client would follow as a reference to this service. */
function referencesIn(value: unknown): string[] {
  if (typeof value === 'string') {
    return /^(?:\/logs-gateway)?\/(?:problems|export-jobs|export-tasks|archives)\b/.test(value)
      ? [value]
      : [];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(referencesIn);
}

describe('a service behind a reverse proxy that removes a path prefix', () => {
  test('returns a Location that leads to the export task', async () => {
    const created = await send('/export-tasks', createBody);
    const location = created.headers.get('location') ?? '';

    expect(location).toBe(`${basePath}/export-tasks/${created.body.taskId}`);
    expect((await follow(location)).status).toBe(200);
  });

  test('returns a Location and links that lead to the job and its parts', async () => {
    const created = await send('/export-jobs', jobBody);
    const { self, slices, events, cancel, retry } = created.body.links;

    expect(created.headers.get('location')).toBe(self);
    expect((await follow(self)).body.links).toEqual(created.body.links);
    expect((await follow(slices)).body.slices).toHaveLength(3);
    expect((await follow(cancel, { method: 'POST' })).status).toBe(202);
    expect((await follow(retry, { method: 'POST' })).status).toBe(409); // none of it has failed
    expect((await follow(events)).headers.get('content-type')).toBe('text/event-stream');
    const { exportJobs } = (await follow(`${basePath}/export-jobs`)).body;
    const { retry: _none, ...ofCancelled } = created.body.links; // a cancelled job cannot be retried
    expect(exportJobs[0].links).toEqual(ofCancelled);
  });

  test('returns a Location and links that lead to the archive and its parts', async () => {
    const created = await send('/archives', archiveBody);
    const { self, coverage, pause, resume, backfills, waivers } = created.body.links;
    const post = (body: unknown) => ({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });

    expect(created.headers.get('location')).toBe(self);
    expect((await follow(self)).body.links).toEqual(created.body.links);
    expect((await follow(coverage)).body).toEqual({ runs: [] });
    expect((await follow(pause, post({ reason: 'x' }))).status).toBe(200);
    expect((await follow(resume, post({ reason: 'x' }))).status).toBe(200);
    const day = { from: '2024-05-01T00:00:00Z', to: '2024-05-02T00:00:00Z' };
    expect((await follow(backfills, post(day))).status).toBe(201);
    const waiver = { logGroupName: '/app', ...day, reason: 'x' };
    expect((await follow(waivers, post(waiver))).body.remedy).toContain(`${basePath}/archives/`);
    const { archives } = (await follow(`${basePath}/archives`)).body;
    expect(archives[0].links).toEqual(created.body.links);
  });

  test('returns problems of jobs and slices that link to their explanations', async () => {
    const jobId = await givenJob(world.database, 1);
    await bringTo(world.database, jobId, 0, 'failed', sliceProblem('export-task-failed'));

    const job = await follow(`${basePath}/export-jobs/${jobId}`);
    const slices = await follow(`${basePath}/export-jobs/${jobId}/slices`);

    const type = `${basePath}/problems/export-task-failed`;
    expect(job.body.failures).toMatchObject([{ problem: { type } }]);
    expect(slices.body.slices).toMatchObject([{ problem: { type } }]);
    expect((await follow(type)).body.type).toBe(type);
  });

  test('writes paths in problem texts with the prefix', async () => {
    const jobId = await givenJob(world.database, 1);
    const kept = { ...sliceProblem('export-task-failed'), remedy: 'POST /export-jobs/x/retry.' };
    await bringTo(world.database, jobId, 0, 'failed', kept);
    const { problems } = (await follow(`${basePath}/problems`)).body;
    const page = await follow(`${basePath}/problems/outcome-unknown`, {
      headers: { accept: 'text/html' },
    });
    const unknown = (await follow(`${basePath}/export-tasks/none`)).body;
    const noTarget = (await follow(`${basePath}/targets/none`)).body;
    const job = await follow(`${basePath}/export-jobs/${jobId}`);
    const texts = [
      ...problems.flatMap(({ explanation, remedy }: Record<string, string>) => [
        explanation,
        remedy,
      ]),
      ...[unknown, noTarget].flatMap(({ detail, remedy }) => [detail, remedy]),
      job.body.failures[0].problem.remedy,
      page.text,
    ];

    const pathsIn = (text: string) =>
      [
        ...text.matchAll(
          /(?<![\w}])\/(?:[a-z-]+\/)?(?:export-|targets|problems|docs|openapi|authorization-)/g,
        ),
      ].map(([path]) => path);
    const paths = texts.flatMap(pathsIn);
    expect(paths.length).toBeGreaterThan(15);
    expect(paths.filter((path) => !path.startsWith(`${basePath}/`))).toEqual([]);
  });

  test.for([
    ['an operation', 'GET', '/export-tasks/none'],
    ['no route', 'GET', '/nowhere'],
    ['the router', 'GET', '/export-tasks/%zz'],
    ['the edge', 'GET', `/targets?${'x'.repeat(5_000)}`],
  ] as const)(
    'returns a problem of %s whose type leads to its explanation',
    async ([, method, path]) => {
      const { body } = await follow(proxy.url + path, { method });

      expect(body.type).toMatch(/^\/logs-gateway\/problems\/[a-z-]+$/);
      expect((await follow(body.type)).body).toMatchObject({
        type: body.type,
        status: body.status,
      });
    },
  );

  test.for([
    ['what is not HTTP', 'HELLO\r\n\r\n'],
    ['an expectation', 'GET / HTTP/1.1\r\nHost: x\r\nExpect: wonders\r\n\r\n'],
    ['CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ] as const)(
    'returns a problem for an unreadable request whose type leads to its explanation: %s',
    async ([, bytes]) => {
      const { answers } = await talk(world.port, bytes);

      const { type } = JSON.parse(answers[0]?.text ?? '');
      expect((await follow(type)).status).toBe(200);
    },
  );

  test.for(['/problems', '/problems/export-slot-taken'])(
    'links from page %s to existing pages only',
    async (path) => {
      const asBrowser = { headers: { accept: 'text/html' } };
      const { text } = await follow(proxy.url + path, asBrowser);
      const links = [...text.matchAll(/href="([^"]*)"/g)].map(([, link = '']) => link);

      expect(links.length).toBeGreaterThan(1);
      for (const link of new Set(links)) {
        const answer = await follow(link, asBrowser);
        expect([link, answer.status]).toEqual([link, 200]);
      }
    },
  );

  test.for([
    ['/docs/json', '/openapi.json'],
    ['/docs/yaml', '/openapi.yaml'],
    ['/docs/static/index.html', '/docs/'],
  ])('redirects %s to %s with the prefix', async ([from, to = '']) => {
    const { headers } = await follow(proxy.url + from);

    expect(headers.get('location')).toBe(basePath + to);
    expect((await follow(basePath + to)).status).toBe(200);
  });

  test('has the prefix in the server URL and the examples of the OpenAPI document', async () => {
    const { body } = await follow(`${basePath}/openapi.json`);
    const yaml = await follow(`${basePath}/openapi.yaml`);
    const { paths, ...rest } = body;

    expect(body.servers).toEqual([{ url: basePath, description: 'This service.' }]);
    expect(Object.keys(paths)).toContain('/export-jobs');
    const references = referencesIn({ rest, paths: Object.values(paths) });
    expect(references.length).toBeGreaterThan(50);
    expect(references.filter((reference) => !reference.startsWith(basePath))).toEqual([]);
    expect(yaml.text).toContain(`- url: ${basePath}\n`);
    const remedies = [...JSON.stringify(body).matchAll(/"remedy":"([^"]*)"/g)].join(' ');
    const named = [...remedies.matchAll(/\b(?:GET|POST) (\/[^\s"]*)/g)].map(([, path]) => path);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((path) => !path?.startsWith(`${basePath}/`))).toEqual([]);
  });
});

describe('PUBLIC_BASE_PATH', () => {
  const read = (PUBLIC_BASE_PATH: string) =>
    readConfig({ AWS_REGION: 'eu-west-1', PUBLIC_BASE_PATH }, () => '').basePath;

  test.for(['/logs-gateway', '/a/b.c/~d_e'])('accepts %s', (path) => {
    expect(read(path)).toBe(path);
  });

  test.for([
    'logs-gateway',
    '/logs-gateway/',
    '/',
    '//evil.example',
    '/a/../b',
    '/a b',
    '/a"b',
    'https://example.com/logs-gateway',
  ])('rejects %s and says what is allowed', (path) => {
    expect(() => read(path)).toThrow(
      `PUBLIC_BASE_PATH is ${JSON.stringify(path)}, but must be a path such as /logs-gateway, with a slash at the beginning and none at the end.`,
    );
  });
});
