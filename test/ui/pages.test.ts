import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { insertChildren } from '#export-jobs/splits/plan-split.ts';
import { bringTo, givenJob, sliceProblem } from '../export-jobs/accepted-jobs.ts';
import { insertVerification } from '../export-jobs/insert-rows.ts';
import { jobOf } from '../export-jobs/jobs-of-callers.ts';
import { openWorld, region, type World } from '../world.ts';
import { openVisitor, type Visitor } from './visitor.ts';

const hostile = `"><script>alert(1)</script>\u202e${'x'.repeat(200)}`;

let world: World;
let visitor: Visitor;
let jobId: string;
beforeAll(async () => {
  world = await openWorld({
    jobs: {},
    basePath: '/gateway',
    targets: [
      { name: 'default', region },
      { name: 'other', region: 'us-east-1' },
    ],
  });
  jobId = await givenJob(world.database, 3, { facts: { name: hostile } });
  const problem = sliceProblem('export-task-failed', '<img src=x onerror=alert(1)>');
  await bringTo(world.database, jobId, 1, 'failed', problem);
  visitor = openVisitor(world);
});
afterAll(() => world[Symbol.asyncDispose]());

describe('/', () => {
  test('leads a browser to the pages, below the base path', async () => {
    const { status, headers } = await visitor.get('/');

    expect([status, headers.get('location')]).toEqual([303, '/gateway/ui/targets']);
  });

  test('is no operation for other clients', async () => {
    const { status, body } = await world.call('GET', '/', undefined, {
      accept: 'application/json',
    });

    expect([status, body.type]).toEqual([404, '/gateway/problems/no-such-route']);
  });
});

describe('an unknown path below /ui', () => {
  test('is a page for a browser, which names the problem', async () => {
    const { status, headers, html } = await visitor.get('/ui/nothing');

    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(html).toContain('No operation has this path.');
  });

  test.each(['GET', 'POST'])('is no operation for other clients: %s', async (method) => {
    const accept = 'application/json';
    const { status, body } = await world.call(method, '/ui/nothing', undefined, { accept });

    expect([status, body.type]).toEqual([404, '/gateway/problems/no-such-route']);
  });
});

test.each(['/ui/targets', '/ui/targets/default', '/ui/jobs', '/ui/jobs/:jobId'])(
  '%s is a page that runs only its own script and is not cached',
  async (route) => {
    const path = route.replace(':jobId', jobId);
    const { status, headers, html } = await visitor.get(path);
    const head = await fetch(world.url + path, {
      method: 'HEAD',
      headers: { accept: 'text/html' },
    });

    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    );
    expect(headers.get('cache-control')).toBe('no-store');
    expect(head.status).toBe(200);
    expect(html.match(/<script/g)).toHaveLength(1);
    expect(html).not.toMatch(/<style|<[^>]* (?:style|on\w+)=|<img/);
    const urls = [...html.matchAll(/(?:href|src|action)="(\/[^"]*)"/g)].map(([, url]) => url);
    expect(urls.filter((url) => !url?.startsWith('/gateway/'))).toEqual([]);
  },
);

test('shows hostile names as text', async () => {
  const { html } = await visitor.get(`/ui/jobs/${jobId}`);

  expect(html).toContain('&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;');
  expect(html).toContain('&lt;img src=x onerror=alert(1)&gt;');
  expect(html).toContain('/gateway/problems/export-task-failed');
});

test('shows the warnings of a job', async () => {
  const id = await givenJob(world.database, 1, { facts: { verification: 'count' } });
  await insertVerification(world.database, {
    jobId: id,
    method: 'objects',
    endedAt: 1,
    objects: 2,
    evidence: '{"countProblem":"service-role-not-permitted","deniedActions":["s3:GetObject"]}',
  });
  const { body } = await world.call('GET', `/export-jobs/${id}`);

  const { html } = await visitor.get(`/ui/jobs/${id}`);

  const details = body.warnings.map(({ detail }: { detail: string }) => detail);
  expect(details.at(-1)).toContain('Permit s3:GetObject for the service role.');
  const shown = /<ul id="warnings">(.*?)<\/ul>/s.exec(html)?.[1] ?? '';
  const texts = [...shown.matchAll(/<li>(.*?)<\/li>/g)].map(([, text = '']) => text);
  expect(texts.map((text) => text.replace(/<\/?code>/g, '`'))).toEqual(details);
  expect(html).toContain('1 slice not counted');
});

test('shows the parts of a split slice in its cell, and of which slice they are parts', async () => {
  const id = await givenJob(world.database, 1);
  const [fromAt, toAt] = [Date.UTC(2024, 0, 1), Date.UTC(2024, 0, 2)];
  const middle = (fromAt + toAt) / 2;
  const windows = [
    { fromAt, toAt: middle },
    { fromAt: middle, toAt },
  ];
  await world.database.transaction((queries) =>
    insertChildren(queries, world.database, { jobId: id, slice: 0 }, { first: 1, windows }),
  );
  await bringTo(world.database, id, 0, 'split', sliceProblem('export-task-failed'));
  await bringTo(world.database, id, 1, 'completed');

  const { html } = await visitor.get(`/ui/jobs/${id}`);
  const list = await visitor.get('/ui/jobs');

  expect(html).toContain('title="1 waiting, 1 completed"');
  expect(html.match(/part of slice 0/g)).toHaveLength(2);
  expect(html).toContain('1 log group × 1 time range');
  expect(list.html).toContain('1 of 2'); // the split slice does not count
});

test.each([
  ['/ui/targets?state=ready', 200],
  ['/ui/targets?state=&region=&accountId=', 200],
  ['/ui/targets?state=broken', 400],
  ['/ui/targets?accountId=1', 400],
  ['/ui/jobs?caller=*&name=&target=', 200],
  ['/ui/jobs?cursor=x', 400],
  ['/ui/jobs?unknown=1', 400],
  [`/ui/jobs/${randomUUID()}`, 404],
  ['/ui/targets/nobody', 404],
])('%s is answered %i, as by the API', async (path, status) => {
  const page = await visitor.get(path);
  const api = path.replace('/ui/jobs', '/export-jobs').replace('/ui', '');
  const isForm = path.includes('=&'); // the API has no empty values
  const answer = await world.call('GET', api);

  expect(page.status).toBe(status);
  if (!isForm) expect(answer.status).toBe(status);
  if (status >= 400) expect(page.html).toContain(answer.body.title);
});

test('pages through a list without a gap', async () => {
  const seen: string[] = [];
  let path = '/ui/targets?limit=1';
  for (let pages = 0; pages < 5 && path !== ''; pages++) {
    const { html } = await visitor.get(path);
    seen.push(...[...html.matchAll(/\/ui\/targets\/(\w+)"/g)].map(([, name = '']) => name));
    const next = /rel="next" href="\/gateway([^"]+)"/.exec(html)?.[1] ?? '';
    path = next.replaceAll('&amp;', '&');
  }

  expect(seen).toEqual(['default', 'other']);
});

describe('the buttons of a job', () => {
  test('retry its failed slices, then cancel it', async () => {
    const id = await givenJob(world.database, 2);
    await bringTo(world.database, id, 0, 'failed', sliceProblem('export-task-failed'));
    const states = () =>
      world.call('GET', `/export-jobs/${id}`).then(({ body }) => body.sliceCounts.waiting);

    const page = await visitor.get(`/ui/jobs/${id}`);
    const retried = await visitor.post(`/ui/jobs/${id}/retry`, page.hidden);
    const waiting = await states();
    const after = await visitor.get(
      (retried.headers.get('location') ?? '').replace('/gateway', ''),
    );
    const cancelled = await visitor.post(`/ui/jobs/${id}/cancel`, page.hidden);
    const end = await visitor.get(
      (cancelled.headers.get('location') ?? '').replace('/gateway', ''),
    );

    expect(page.html).toContain('Retry 1 failed slice');
    expect(retried.status).toBe(303);
    expect(waiting).toBe(2);
    expect(after.html).toContain('The failed slices are in the queue again.');
    expect(after.html).not.toContain('Retry 1 failed slice');
    expect(end.html).toContain('The cancel of the job was requested.');
    expect(end.html).not.toContain('id="cancel"');
  });

  test('do not retry a job of an archive', async () => {
    const id = await jobOf('anonymous', world.database, { archiveId: randomUUID() });
    await bringTo(world.database, id, 0, 'failed', sliceProblem('export-task-failed'));

    const page = await visitor.get(`/ui/jobs/${id}`);

    expect(page.html).not.toContain('id="retry"');
    expect(page.html).toContain('request a backfill');
  });
});

describe('the files of pages', () => {
  test('are kept by browsers until they change', async () => {
    const { html } = await visitor.get('/ui/targets');
    const [url = ''] = /\/ui\/assets\/ui\.css\?v=[\w-]+/.exec(html) ?? [];

    const current = await visitor.get(url);
    const other = await visitor.get('/ui/assets/ui.css?v=other');
    const unknown = await visitor.get('/ui/assets/constructor');

    expect(current.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(current.headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect(other.headers.get('cache-control')).toBe('no-cache');
    expect(other.html).toBe(current.html);
    expect(unknown.status).toBe(404);
  });

  test('are small: the script has less than 8 kB', () => {
    expect(statSync('src/ui/assets/ui.js').size).toBeLessThan(8_000);
    expect(readFileSync('src/ui/assets/ui.js', 'utf8')).not.toMatch(/innerHTML\s*=[^=]|eval\(/);
  });
});

test('without AWS, the page of a target shows its problem and its queue', async () => {
  await givenJob(world.database, 2, { facts: { target: 'other' } });
  const outage = { kind: 'error', code: 'ServiceUnavailableException', status: 503 } as const;
  world.emulator.faults.add({ operation: 'DescribeExportTasks', ...outage, count: 100 });

  const { status, html } = await visitor.get('/ui/targets/other');

  expect(status).toBe(200);
  expect(html).toContain('The slot could not be read from AWS');
  expect(html).toContain('Waiting slices by priority and caller');
});

test('shows why nothing starts at an unusable target, and what to do', async () => {
  const roleArn = 'arn:aws:iam::111122223333:role/log-export';
  await using broken = await openWorld({
    jobs: {},
    targets: [
      { name: 'default', region },
      { name: 'payments', region, roleArn },
    ],
    emulator: { roles: { [roleArn]: { refuses: true } } },
  });
  await givenJob(broken.database, 2, { facts: { target: 'payments' } });
  await broken.waitFor(() => broken.targets.look('payments')?.state === 'unusable');
  const visitor = openVisitor(broken);

  const list = await visitor.get('/ui/targets?state=unusable');
  const page = await visitor.get('/ui/targets/payments');
  const jobs = await visitor.get('/ui/jobs?target=payments');
  const [id = ''] = /[0-9a-f-]{36}/.exec(jobs.html) ?? [];
  const job = await visitor.get(`/ui/jobs/${id}`);

  for (const { html } of [list, page, job]) {
    expect(html).toContain('/problems/service-role-unusable');
    expect(html).not.toContain(roleArn);
  }
  expect(page.html).toContain('Nothing starts at this target');
  expect(page.html).toContain('What to do:');
  expect(job.html).toContain('Waiting slices of this target do not start');
});

test('UI=off removes the pages', async () => {
  await using off = await openWorld({ isUiOn: false });

  const { status } = await off.call('GET', '/ui/targets', undefined, { accept: 'text/html' });

  expect(status).toBe(404);
});

test('without export jobs there are pages of targets only', async () => {
  await using mirror = await openWorld();
  const mirrored = openVisitor(mirror);

  const { html } = await mirrored.get('/ui/targets/default');
  const jobs = await mirrored.get('/ui/jobs');

  expect(html).not.toContain('class="timeline"');
  expect(html).not.toContain('/ui/jobs');
  expect(jobs.status).toBe(404);
});
