import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { Problem } from '#problems/problem.ts';
import { memoryFolder } from '../../memory-folder.ts';
import { postgresUrl } from '../../postgres-databases.ts';
import { openWorld, region, type World } from '../../world.ts';
import { bringTo, jobBody, sliceProblem } from '../accepted-jobs.ts';
import { storageBackends } from '../storage-backends.ts';

describe.each(storageBackends)('POST /export-jobs on %s', (_name, openStorage) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ jobs: await openStorage() });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => {
    world.woken.length = 0;
  });

  const post = (body: unknown, key?: string, query = '') =>
    world.call('POST', `/export-jobs${query}`, body, key ? { 'idempotency-key': key } : {});
  const jobsThere = async () =>
    (await world.database.queries.selectFrom('jobs').select('id').execute()).length;

  test('accepts a job that exists before the answer, and wakes its target', async () => {
    const answer = await post(jobBody);

    expect(answer.status).toBe(202);
    const { id } = answer.body;
    const path = `/export-jobs/${id}`;
    expect(answer.headers.get('location')).toBe(path);
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/),
      target: 'default',
      name: 'three days',
      caller: 'anonymous',
      priority: 0,
      from: '2024-05-01T00:00:00.000Z',
      to: '2024-05-04T00:00:00.000Z',
      sliceBy: 'day',
      timeZone: 'UTC',
      destination: 'archive',
      destinationPrefix: expect.stringContaining('{jobId}'),
      verification: 'objects',
      isUnsettled: false,
      state: 'waiting',
      sliceCounts: expect.objectContaining({ waiting: 3, running: 0, completed: 0 }),
      acceptedAt: expect.stringMatching(/^20\d\d-.*Z$/),
      queue: { position: 1 },
      verified: {
        slices: 0,
        emptySlices: 0,
        skippedSlices: 0,
        unprovenSlices: 0,
        uncountedSlices: 0,
        objects: 0,
        bytes: 0,
        streams: 0,
      },
      failures: [],
      links: {
        self: path,
        slices: `${path}/slices`,
        objects: `${path}/objects`,
        events: `${path}/events`,
        cancel: `${path}/cancel`,
        retry: `${path}/retry`,
      },
    });
    expect(world.woken).toEqual(['default']);
    const shown = await world.call('GET', path);
    expect(shown.body).toEqual(answer.body);
  });

  test('resolves a prefix at AWS, and returns the stored bytes of the log groups', async () => {
    const { logGroupNames: _names, ...rest } = jobBody;

    const { status, body } = await post({ ...rest, logGroupNamePrefix: '/app' });

    expect(status).toBe(202);
    expect(body).toMatchObject({ logGroupBytes: 0, sliceCounts: { waiting: 3 } });
  });

  test('splits by the calendar of the time zone, and renders prefixes with its times', async () => {
    const zoned = {
      ...jobBody,
      timeZone: 'America/St_Johns',
      destinationPrefix: '{yyyy}-{MM}-{dd}T{HH}/{jobId}',
      from: '2006-10-28T02:30:00Z',
      to: '2006-10-30T03:30:00Z',
    };

    const { status, body } = await post(zoned);
    const dry = await post(zoned, undefined, '?dryRun=true');

    expect(status).toBe(202);
    expect(body).toMatchObject({ timeZone: 'America/St_Johns', sliceCounts: { waiting: 2 } });
    const shown = await world.call('GET', body.links.slices);
    const windows = shown.body.slices.map(({ from, to }: Record<string, string>) => [from, to]);
    expect(windows).toEqual([
      ['2006-10-28T02:30:00.000Z', '2006-10-29T02:30:00.000Z'],
      ['2006-10-29T02:30:00.000Z', '2006-10-30T03:30:00.000Z'], // 25 hours
    ]);
    expect(dry.body.timeZone).toBe('America/St_Johns');
    expect(dry.body.slices.map(({ destinationPrefix }: never) => destinationPrefix)).toEqual([
      '2006-10-28T00/{jobId}',
      '2006-10-29T00/{jobId}',
    ]);
  });

  test('splits by 15-minutes, each under a prefix of its own, also where an hour is repeated', async () => {
    const quarters = {
      ...jobBody,
      timeZone: 'Pacific/Chatham',
      sliceBy: '15-minutes',
      from: '2024-04-06T13:30:00Z',
      to: '2024-04-06T15:15:00Z',
    };

    const { status, body } = await post(quarters);
    const dry = await post(quarters, undefined, '?dryRun=true');

    expect(status).toBe(202);
    expect(body).toMatchObject({
      sliceBy: '15-minutes',
      destinationPrefix:
        '{account}/{region}/{logGroup}/{yyyy}/{MM}/{dd}/{HH}/{mm}/{jobId}/{attempt}',
      sliceCounts: { waiting: 3 },
    });
    const shown = await world.call('GET', body.links.slices);
    const windows = shown.body.slices.map(({ from, to }: Record<string, string>) => [from, to]);
    expect(windows).toEqual([
      ['2024-04-06T13:30:00.000Z', '2024-04-06T13:45:00.000Z'],
      ['2024-04-06T13:45:00.000Z', '2024-04-06T15:00:00.000Z'], // 03:30, and the repeated hour
      ['2024-04-06T15:00:00.000Z', '2024-04-06T15:15:00.000Z'],
    ]);
    const prefixes = dry.body.slices.map(({ destinationPrefix }: never) => destinationPrefix);
    expect(prefixes).toEqual(
      ['03/15', '03/30', '03/45'].map((time) =>
        expect.stringMatching(`/app/2024/04/07/${time}/{jobId}/1$`),
      ),
    );
  });

  test('warns of slashes that make folders without a name', async () => {
    const { status, body } = await post({ ...jobBody, destinationPrefix: '/a//{dd}/' });

    expect(status).toBe(202);
    expect(body.warnings).toEqual([
      { pointer: '#/destinationPrefix', detail: expect.stringContaining('Use "a/{dd}" instead.') },
    ]);
  });

  test('warns of slices and log groups that share a prefix, in the plan and in the job', async () => {
    const logGroupNames = ['/app', 'app'];
    const shared = { ...jobBody, logGroupNames, destinationPrefix: 'a/{logGroup}' };

    const plan = await post(shared, undefined, '?dryRun=true');
    const { status, body } = await post(shared);

    expect(status).toBe(202);
    expect(body.warnings.map(({ detail }: { detail: string }) => detail)).toEqual([
      expect.stringContaining('the template lacks {dd}'),
      expect.stringContaining('Log groups /app and app share a prefix'),
    ]);
    expect(plan.body.warnings).toEqual(body.warnings);
  });

  test('accepts a thousand long names as ten thousand slices', async () => {
    const logGroupNames = Array.from({ length: 1_000 }, (_, n) => `${n}-`.padEnd(512, 'x'));
    const to = '2024-05-11T00:00:00Z';
    const destinationPrefix = '{jobId}';

    const { status, body } = await post({ ...jobBody, logGroupNames, to, destinationPrefix });

    expect(status).toBe(202);
    expect(body.sliceCounts.waiting).toBe(10_000);
  });

  test('returns isUnsettled if the job takes unsettled log events', async () => {
    const now = Date.now();
    const unsettled = { from: now - 3_600_000, to: now, sliceBy: 'none', allowUnsettled: true };

    const young = await post({ ...jobBody, ...unsettled });
    const old = await post({ ...jobBody, allowUnsettled: true });
    const patient = await post({ ...jobBody, ...unsettled, allowUnsettled: false });

    expect(young.body).toMatchObject({ isUnsettled: true });
    expect(old.body).toMatchObject({ isUnsettled: false });
    expect(patient.body).toMatchObject({ isUnsettled: false });
    const notBeforeAt = new Date(now + 12 * 3_600_000).toISOString();
    expect(patient.body.notBeforeAt).toBe(notBeforeAt);
    expect(young.body.notBeforeAt).toBeUndefined();
  });

  test.each([
    ['an unknown target', '?target=nope', jobBody, 'target-not-found'],
    [
      'a prefix that no log group has',
      '',
      { ...jobBody, logGroupNames: undefined, logGroupNamePrefix: '/no' },
      'no-log-groups',
    ],
    [
      'too many slices',
      '',
      { ...jobBody, from: '1990-01-01T00:00:00Z', sliceBy: 'hour' },
      'too-many-slices',
    ],
    ['a broken rule', '', { ...jobBody, destination: 1 }, 'invalid-request'],
    ['a window that cannot be meant', '', { ...jobBody, to: jobBody.from }, 'invalid-request'],
    ['a body of too many bytes', '', { ...jobBody, name: 'x'.repeat(1_048_576) }, 'body-too-large'],
  ])('rejects %s, and stores nothing', async (_name, query, body, slug) => {
    const before = await jobsThere();

    const answer = await post(body, randomUUID(), query);

    expect(answer.body.type).toBe(`/problems/${slug}`);
    expect(await jobsThere()).toBe(before);
    expect(world.woken).toEqual([]);
    const keys = await world.database.queries.selectFrom('idempotencyKeys').select('key').execute();
    expect(keys.filter(({ key }) => key.length === 36)).toEqual([]);
  });

  test('returns the byte limit of a body, here and for other operations', async () => {
    const here = await post({ ...jobBody, name: 'x'.repeat(1_048_576) });
    const elsewhere = await world.call('POST', '/export-tasks', { taskName: 'x'.repeat(65_536) });

    expect(here.body.detail).toBe('The body has more than 1,048,576 bytes.');
    expect(elsewhere.body.detail).toBe('The body has more than 65,536 bytes.');
  });

  describe('with an Idempotency-Key', () => {
    test('returns the same job for the same request in another order of members', async () => {
      const first = await post(jobBody, 'again');
      const members = Object.entries(jobBody).reverse();

      const again = await post(Object.fromEntries(members), 'again');

      expect(again.status).toBe(202);
      expect(again.body).toEqual(first.body);
      expect(again.headers.get('location')).toBe(first.headers.get('location'));
    });

    test('returns the same job whether a member is null or absent', async () => {
      const first = await post(jobBody, 'nulls');

      const again = await post({ ...jobBody, logGroupNamePrefix: null, priority: null }, 'nulls');

      expect(again.body.id).toBe(first.body.id);
    });

    test('returns the current job without planning again', async () => {
      const { logGroupNames: _names, ...rest } = jobBody;
      const body = { ...rest, logGroupNamePrefix: '/app' };
      const first = await post(body, 'once-planned');
      const asked = world.calls('DescribeLogGroups').length;
      await world.call('POST', `${first.headers.get('location')}/cancel`);

      const again = await post(body, 'once-planned');

      expect(again.body).toMatchObject({ id: first.body.id, state: 'cancelled' });
      expect(world.calls('DescribeLogGroups')).toHaveLength(asked);
    });

    test.each([
      ['another body', { ...jobBody, priority: 1 }, ''],
      ['another target', jobBody, '?target=default'],
    ])('rejects the same key with %s', async (name, body, query) => {
      await post(jobBody, name.replace(' ', '-'));

      const answer = await post(body, name.replace(' ', '-'), query);

      expect(answer.status).toBe(422);
      expect(answer.body.type).toBe('/problems/idempotency-key-reused');
    });

    test.each([
      ['an empty one', ''],
      ['a space', 'two words'],
      ['another alphabet', 'schlüssel'],
      ['256 characters', 'k'.repeat(256)],
    ])('rejects %s', async (_name, key) => {
      const answer = await world.call('POST', '/export-jobs', jobBody, { 'idempotency-key': key });

      expect(answer.status).toBe(400);
      expect(answer.body.errors).toEqual([
        {
          in: 'header',
          pointer: '#/idempotency-key',
          detail: expect.stringContaining('must be 1 to 255 visible ASCII characters'),
        },
      ]);
    });

    test('accepts a key of 255 characters', async () => {
      const answer = await post(jobBody, '~'.repeat(255));

      expect(answer.status).toBe(202);
    });
  });

  describe('with dryRun=true', () => {
    test('returns the plan and its queue estimate, and stores nothing', async () => {
      const before = await jobsThere();
      const inQueue = await world.call('GET', '/export-jobs?state=waiting&limit=100');
      const body = {
        ...jobBody,
        destinationPrefix: 'p/{logGroup}/{yyyy}-{MM}-{dd}/{jobId}/{attempt}',
      };

      const answer = await post({ ...body, to: '2024-12-01T00:00:00Z' }, 'dry', '?dryRun=true');

      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        target: 'default',
        name: 'three days',
        destinationPrefix: body.destinationPrefix,
        isUnsettled: false,
        sliceCount: 214,
      });
      expect(answer.body.slices).toHaveLength(100);
      expect(answer.body.slices[1]).toEqual({
        number: 1,
        logGroupName: '/app',
        from: '2024-05-02T00:00:00.000Z',
        to: '2024-05-03T00:00:00.000Z',
        destinationPrefix: 'p/app/2024-05-02/{jobId}/1',
      });
      const { slicesWaiting, slicesAhead } = answer.body.queue;
      expect(inQueue.body.exportJobs.length).toBeGreaterThan(0);
      expect(slicesWaiting).toBeGreaterThanOrEqual(3); // as it was up to a second ago
      expect(slicesAhead).toBeGreaterThanOrEqual(3);
      expect(await jobsThere()).toBe(before);
      expect(world.woken).toEqual([]);
      expect((await post(jobBody, 'dry')).status).toBe(202); // the dry run has not used the key
    });

    test('returns all log groups of a prefix, more than a body can name', async () => {
      const names = Array.from({ length: 1_200 }, (_, n) => `/aws/lambda/fn-${n}`).sort();
      for (const logGroupName of names) world.emulator.seed.logGroup({ region, logGroupName });
      const { logGroupNames: _names, ...rest } = jobBody;
      const byPrefix = { ...rest, logGroupNamePrefix: '/aws/lambda/', sliceBy: 'none' };

      const { status, body } = await post(byPrefix, undefined, '?dryRun=true');
      const accepted = await post(byPrefix);

      expect(status).toBe(200);
      expect(body.sliceCount).toBe(1_200);
      expect(body.logGroupNames.sort()).toEqual(names);
      expect(accepted.body.sliceCounts.waiting).toBe(1_200);
    });

    test('rejects what the job would be rejected for', async () => {
      const answer = await post({ ...jobBody, to: jobBody.from }, undefined, '?dryRun=true');

      expect(answer.status).toBe(400);
    });
  });

  test('returns database-unavailable when the database fails, retryable only with a key', async () => {
    const away = new Problem('database-unavailable', 'The database does not answer.');
    const { transaction } = world.database;
    world.database.transaction = () => Promise.reject(away);

    const answer = await post(jobBody, 'away');
    const withoutKey = await post(jobBody);

    world.database.transaction = transaction;
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('2');
    expect(answer.body.type).toBe('/problems/database-unavailable');
    expect(answer.body.isRetryable).toBe(true);
    expect(withoutKey.status).toBe(503);
    expect(withoutKey.headers.get('retry-after')).toBe('2');
    expect(withoutKey.body.type).toBe('/problems/database-unavailable');
    expect(withoutKey.body.isRetryable).toBe(false);
    expect((await post(jobBody, 'away')).status).toBe(202);
  });

  test('returns database-unavailable, not retryable, when a job without a key is stored but not read', async () => {
    const away = new Problem('database-unavailable', 'The database does not answer.');
    const { transaction, queries } = world.database;
    world.database.transaction = async (act) => {
      const stored = await transaction(act);
      Object.assign(world.database, { queries: new Proxy(queries, { get: fail }) });
      return stored;
    };
    function fail(): never {
      throw away;
    }

    const answer = await post(jobBody);

    Object.assign(world.database, { transaction, queries });
    expect(answer.body).toMatchObject({
      type: '/problems/database-unavailable',
      isRetryable: false,
    });
  });
});

test('returns the job of a key after a restart', async () => {
  const dataDir = mkdtempSync(join(memoryFolder, 'export-jobs-'));
  const post = async () => {
    await using world = await openWorld({ jobs: { dataDir } });
    return await world.call('POST', '/export-jobs', jobBody, {
      'idempotency-key': 'over-a-restart',
    });
  };

  const first = await post();
  const second = await post();

  expect(second.status).toBe(202);
  expect(second.body.id).toBe(first.body.id);
  rmSync(dataDir, { recursive: true });
});

test('creates one job for fifty equal concurrent requests to three gateways', async () => {
  const databaseUrl = await postgresUrl();
  await using first = await openWorld({ jobs: { databaseUrl } });
  await using second = await openWorld({ jobs: { databaseUrl } });
  await using third = await openWorld({ jobs: { databaseUrl } });
  const worlds = [first, second, third];

  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) =>
      worlds[n % 3]?.call('POST', '/export-jobs', jobBody, { 'idempotency-key': 'fifty' }),
    ),
  );

  expect(answers.map((answer) => answer?.status)).toEqual(Array(50).fill(202));
  expect(new Set(answers.map((answer) => answer?.body.id)).size).toBe(1);
  const { queries } = first.database;
  expect(await queries.selectFrom('jobs').select('id').execute()).toHaveLength(1);
});

test('rejects more waiting slices than the limit of the caller, also by a retry and in a plan', async () => {
  await using world = await openWorld({ jobs: { maxWaitingSlices: 3 } });
  const first = await world.call('POST', '/export-jobs', jobBody);
  const { id } = first.body;
  await bringTo(world.database, id, 0, 'failed', sliceProblem('export-task-failed'));
  const one = { ...jobBody, sliceBy: 'none' };
  await world.call('POST', '/export-jobs', one);

  const another = await world.call('POST', '/export-jobs', one);
  const retried = await world.call('POST', `/export-jobs/${id}/retry`);
  const planned = await world.call('POST', '/export-jobs?dryRun=true', one);

  for (const { status, headers, body } of [another, retried, planned]) {
    expect([status, body.type]).toEqual([429, '/problems/too-many-waiting-slices']);
    expect(headers.get('retry-after')).toBe('60');
  }
});

test('returns 404 for export jobs without a database', async () => {
  await using world = await openWorld();

  for (const [method, path] of [
    ['POST', '/export-jobs'],
    ['GET', '/export-jobs'],
    ['GET', `/export-jobs/${randomUUID()}`],
  ] as const) {
    const answer = await world.call(method, path, method === 'POST' ? jobBody : undefined);
    expect(answer.body.type).toBe('/problems/no-such-route');
  }
});

test('rejects a long list with its length, and a far too long one unread', async () => {
  await using world = await openWorld({ jobs: {} });
  const numbers = (count: number) => `{"logGroupNames":[${Array(count).fill('1').join()}]}`;

  const long = await world.call('POST', '/export-jobs', numbers(4_000));
  const farTooLong = await world.call('POST', '/export-jobs', numbers(500_000));

  const { errors } = long.body;
  expect([long.status, farTooLong.status]).toEqual([400, 413]);
  expect(errors.map(({ detail }: { detail: string }) => detail)).toContainEqual(
    expect.stringMatching(/^must be an array of 1 to 1000 names.*but is an array of 4000 items$/),
  );
  expect(errors.at(-1).detail).toMatch(/^39\d\d more members break a rule/);
});
