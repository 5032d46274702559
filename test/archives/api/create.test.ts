import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { acceptArchive } from '#archives/store/requests/accept-archive.ts';
import { requestOf } from '../../export-jobs/caller-requests.ts';
import { storageBackends } from '../../export-jobs/storage-backends.ts';
import { openWorld, region, type World } from '../../world.ts';
import { archiveBody, insertExports, planOfArchive } from '../archives-of-callers.ts';

/** The members of an archive by prefix, instead of names. */
const prefixOf = (logGroupNamePrefix: string) => ({
  logGroupNames: undefined,
  logGroupNamePrefix,
});

const dayMs = 86_400_000;

describe.each(storageBackends)('POST /archives on %s', (_name, openStorage) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({
      jobs: await openStorage(),
      heartbeatOrigins: ['https://hc.example.com'],
    });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const post = (body: unknown, key?: string, query = '') =>
    world.call('POST', `/archives${query}`, body, key ? { 'idempotency-key': key } : {});
  const rows = () => world.database.queries.selectFrom('archives').selectAll().execute();

  test('accepts an archive that exists before the answer', async () => {
    const answer = await post(archiveBody);

    expect(answer.status).toBe(201);
    const { id } = answer.body;
    const path = `/archives/${id}`;
    expect(answer.headers.get('location')).toBe(path);
    const today = new Date(Math.floor(Date.now() / dayMs) * dayMs).toISOString();
    expect(answer.body).toEqual({
      id: expect.stringMatching(/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/),
      target: 'default',
      name: 'app logs',
      caller: 'anonymous',
      logGroupNames: ['/app'],
      exceptLogGroupNamePrefixes: [],
      partitionBy: 'day',
      from: today,
      destination: 'archive',
      destinationPrefix: '{account}/{region}/{logGroup}/{yyyy}/{MM}/{dd}/r{revision}/{attempt}',
      priority: -5,
      refreshDays: 0,
      verification: 'objects',
      allowOverload: false,
      state: 'behind',
      createdAt: expect.stringMatching(/^20\d\d-.*Z$/),
      links: {
        self: path,
        coverage: `${path}/coverage`,
        pause: `${path}/pause`,
        resume: `${path}/resume`,
        backfills: `${path}/backfills`,
        waivers: `${path}/waivers`,
      },
    });
    const shown = await world.call('GET', path);
    expect(shown.body).toEqual(answer.body);
    expect(shown.headers.get('etag')).toBe(answer.headers.get('etag'));
    const [row] = (await rows()).filter((each) => each.id === id);
    expect(row?.lookDueAt).toBeLessThanOrEqual(Date.now());
  });

  test('records who created it, with the policies, in the transaction', async () => {
    const { body, headers } = await post(archiveBody);

    const entries = await world.database.queries
      .selectFrom('auditEntries')
      .select(['change', 'action', 'principal', 'requestId', 'target', 'outcome', 'version'])
      .where('archiveId', '=', body.id)
      .execute();
    expect(entries).toEqual([
      {
        change: 'archive-created',
        action: 'CreateArchive',
        principal: 'anonymous',
        requestId: headers.get('x-request-id'),
        target: 'default',
        outcome: 'ok',
        version: 1,
      },
    ]);
  });

  test('returns every value of the request, and only the origin of the heartbeat URL', async () => {
    const given = {
      name: 'all',
      logGroupNamePrefix: '/ap',
      exceptLogGroupNamePrefixes: ['/api'],
      partitionBy: 'week',
      from: '2024-01-01T00:00:00Z',
      to: '2024-02-05T01:00:00+01:00',
      destination: 'archive',
      destinationPrefix: '{logGroup}/{yyyy}{MM}{dd}/{revision}',
      priority: 3,
      refreshDays: 14,
      catchUpDays: 30,
      verification: 'count',
      allowOverload: true,
    };

    const { status, body, text } = await post({
      ...given,
      heartbeatUrl: 'https://hc.example.com/ping/s3cr3t',
    });

    expect(status).toBe(201);
    expect(body).toMatchObject({
      ...given,
      from: '2024-01-01T00:00:00.000Z',
      to: '2024-02-05T00:00:00.000Z',
      heartbeatOrigin: 'https://hc.example.com',
    });
    expect(text).not.toContain('s3cr3t');
  });

  test.each([
    [
      'from',
      { from: '2024-05-01T00:00:01Z' },
      '2024-05-01T00:00:00.000Z and 2024-05-02T00:00:00.000Z',
    ],
    ['from', { from: 1_714_521_600_001 }, '1714521600000 and 1714608000000'],
    [
      'from',
      { partitionBy: 'week', from: '2024-05-01T00:00:00Z' },
      '2024-04-29T00:00:00.000Z and 2024-05-06T00:00:00.000Z',
    ],
    [
      'to',
      { partitionBy: 'month', to: '2034-05-02T00:00:00Z' },
      '2034-05-01T00:00:00.000Z and 2034-06-01T00:00:00.000Z',
    ],
    ['to', { to: '2024-05-02T00:00:00Z' }, 'must be after from'],
    ['verification', { verification: 'off' }, 'an archive counts only exports that are verified'],
    ['destinationPrefix', { destinationPrefix: 'x/{yyyy}/{MM}' }, 'lacks {dd}'],
    [
      'destinationPrefix',
      { logGroupNames: ['/app', '/b'], destinationPrefix: '{yyyy}{MM}{dd}' },
      'lacks {logGroup}',
    ],
    [
      'destinationPrefix',
      { destinationPrefix: '{yyyy}{MM}{dd}', refreshDays: 3 },
      'lacks {revision}',
    ],
    ['destinationPrefix', { destinationPrefix: '{date}' }, 'known placeholders: {account}'],
    [
      'exceptLogGroupNamePrefixes',
      { exceptLogGroupNamePrefixes: ['/x'] },
      'must be absent with logGroupNames',
    ],
    ['heartbeatUrl', { heartbeatUrl: 'https://evil.example/' }, 'is not one'],
    ['name', { name: undefined }, 'is missing'],
    [
      'logGroupNamePrefix',
      { logGroupNames: undefined, logGroupNamePrefix: '/app*' },
      'write "/app"',
    ],
  ])('rejects a mistake in %s, and says what is right: %j', async (member, given, words) => {
    const { status, body } = await post({ ...archiveBody, ...given });

    expect(status).toBe(400);
    expect(body.errors).toEqual([
      { in: 'body', pointer: `#/${member}`, detail: expect.stringContaining(words) },
    ]);
  });

  test('accepts the beginning of all time, also for weeks', async () => {
    const { status, body } = await post({ ...archiveBody, partitionBy: 'week', from: 0 });

    expect(status).toBe(201);
    expect(body.from).toBe('1970-01-01T00:00:00.000Z');
  });

  describe('looks up the log groups', () => {
    const withPrefix = { ...archiveBody, logGroupNames: undefined };

    test('and warns if some of the names do not exist', async () => {
      const logGroupNames = ['/app', '/later', '/much-later'];

      const { status, body } = await post({
        ...archiveBody,
        destination: 'own-archive',
        logGroupNames,
      });

      expect(status).toBe(201);
      expect(body.warnings).toEqual([
        {
          pointer: '#/logGroupNames',
          detail:
            'No log group has the name /later and 1 other now. It is archived when it is created.',
        },
      ]);
    });

    test.each([
      { what: 'the same name', other: {}, isWarned: true },
      { what: 'a prefix that matches it', other: { ...prefixOf('/ap') }, isWarned: true },
      {
        what: 'a prefix that matches it, but for an exception',
        other: { ...prefixOf('/ap'), exceptLogGroupNamePrefixes: ['/app'] },
        isWarned: false,
      },
      {
        what: 'the same name, at another prefix',
        other: { destinationPrefix: 'b/{logGroup}/{yyyy}/{MM}/{dd}/{attempt}' },
        isWarned: false,
      },
    ])('and warns of an archive that writes to the same prefixes: $what', async (given) => {
      const shared = { ...archiveBody, destination: `shared-${given.what.length}` };
      await post({ ...shared, ...given.other });

      const { status, body } = await post(shared, undefined, '?dryRun=true');

      expect(status).toBe(200);
      const { warnings = [] } = body;
      const pointers = warnings.map(({ pointer }: { pointer: string }) => pointer);
      expect(pointers.includes('#/destinationPrefix')).toBe(given.isWarned);
    });

    test('and warns of an archive by prefix whose prefix is longer', async () => {
      const shared = { ...withPrefix, destination: 'shared-by-prefix' };
      await post({ ...shared, ...prefixOf('/ap') });
      await post({ ...shared, ...prefixOf('/other/') });

      const { body } = await post({ ...shared, ...prefixOf('/app') }, undefined, '?dryRun=true');

      expect(body.warnings).toContainEqual({
        pointer: '#/destinationPrefix',
        detail: expect.stringContaining('each log event twice'),
      });
    });

    test('and rejects names if none of them exists', async () => {
      const { status, body } = await post({ ...archiveBody, logGroupNames: ['/ap', '/pp'] });

      expect([status, body.type]).toEqual([422, '/problems/no-log-groups']);
      expect(body.detail).toBe('No log group has the name /ap, nor the name /pp.');
    });

    test('and accepts a prefix of the future, with a warning', async () => {
      const { status, body } = await post({ ...withPrefix, logGroupNamePrefix: '/later/' });

      expect(status).toBe(201);
      expect(body.warnings).toEqual([
        { pointer: '#/logGroupNamePrefix', detail: expect.stringContaining('begins with /later/') },
      ]);
    });

    test('and omits exceptions, also when it compares the retention', async () => {
      world.emulator.seed.logGroup({ region, logGroupName: '/svc/a' });
      world.emulator.seed.logGroup({ region, logGroupName: '/svc/short', retentionInDays: 1 });
      const body = { ...withPrefix, logGroupNamePrefix: '/svc/' };

      const refused = await post(body);
      const fitting = await post({ ...body, partitionBy: 'hour' }, undefined, '?dryRun=true');
      const excepted = await post(
        { ...body, exceptLogGroupNamePrefixes: ['/svc/s'] },
        undefined,
        '?dryRun=true',
      );

      expect([refused.status, refused.body.type]).toEqual([422, '/problems/archive-impossible']);
      expect(refused.body.detail).toBe(
        'Log group /svc/short keeps its log events for 1 day, which are 24 hours. With `partitionBy` day they must be kept for more than 37 hours. The longest unit that fits is hour.',
      );
      expect(fitting.body.foundLogGroupNames).toEqual(['/svc/a', '/svc/short']);
      expect(excepted.body.foundLogGroupNames).toEqual(['/svc/a']);
    });

    test('and warns of log events that have expired, and of a refresh that comes too late', async () => {
      world.emulator.seed.logGroup({
        region,
        logGroupName: '/week',
        retentionInDays: 7,
        createdAt: 0,
      });
      const from = '2024-05-01T00:00:00Z';

      const { body } = await post({
        ...archiveBody,
        logGroupNames: ['/week'],
        from,
        refreshDays: 7,
      });

      expect(body.warnings.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
        '#/from',
        '#/refreshDays',
      ]);
    });
  });

  describe('with an Idempotency-Key', () => {
    test('returns the same archive for the same request', async () => {
      const asked = { ...archiveBody, destination: 'another-archive' };
      const first = await post(asked, 'again');

      const again = await post(Object.fromEntries(Object.entries(asked).reverse()), 'again');

      expect(again.status).toBe(201);
      expect(again.body).toEqual(first.body);
      expect(again.headers.get('location')).toBe(first.headers.get('location'));
    });

    test('creates one archive for requests at the same time', async () => {
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => post(archiveBody, 'at-once')),
      );

      expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    });

    test('rejects another body or target with the same key', async () => {
      await post(archiveBody, 'reused');

      const other = await post({ ...archiveBody, name: 'other' }, 'reused');
      const target = await post(archiveBody, 'reused', '?target=default');

      for (const { status, body } of [other, target])
        expect([status, body.type]).toEqual([422, '/problems/idempotency-key-reused']);
    });

    test('ignores the key in a dry run', async () => {
      await post(archiveBody, 'dry', '?dryRun=true');

      const { status } = await post({ ...archiveBody, name: 'wet' }, 'dry');

      expect(status).toBe(201);
    });
  });

  describe('with dryRun', () => {
    test('returns the plan with load and preflight, and stores nothing', async () => {
      const before = await rows();
      const now = Date.now();
      const from = new Date((Math.floor(now / dayMs) - 10) * dayMs).toISOString();

      const { status, body } = await post({ ...archiveBody, from }, undefined, '?dryRun=true');

      expect(status).toBe(200);
      const isSettled = now % dayMs >= dayMs / 2;
      expect(body).toMatchObject({
        name: 'app logs',
        logGroupCount: 1,
        foundLogGroupNames: ['/app'],
        firstDestinationPrefix: expect.stringMatching(
          /^\d{12}\/eu-west-1\/app\/\d{4}\/\d\d\/\d\d\/r1\/1$/,
        ),
        load: { exportsPerDay: 1, secondsPerExport: 60, basis: 'assumed' },
        preflight: { verdict: expect.any(String), checks: expect.any(Array) },
      });
      expect(body.duePartitions).toBeLessThanOrEqual(isSettled ? 10 : 9);
      expect(body.catchUpSeconds).toBe(60 * body.duePartitions);
      expect(await rows()).toHaveLength(before.length);
    });

    test.each([
      ['no log group has the prefix', { logGroupNamePrefix: '/nothing/' }],
      [
        'all log groups are excepted',
        { logGroupNamePrefix: '/app', exceptLogGroupNamePrefixes: ['/app'] },
      ],
    ])('returns the plan with a warning when %s', async (_when, given) => {
      const { status, body } = await post(
        { ...archiveBody, logGroupNames: undefined, ...given },
        undefined,
        '?dryRun=true',
      );

      expect([status, body.logGroupCount, body.duePartitions]).toEqual([200, 0, 0]);
      expect(body.warnings).toEqual([
        {
          pointer: '#/logGroupNamePrefix',
          detail: expect.stringContaining('archived when they are created'),
        },
      ]);
      expect(body.preflight.checks).toContainEqual({
        name: 'queue',
        verdict: 'pass',
        detail: expect.stringContaining('0 slices would start before the first slice.'),
      });
    });
  });
});

describe.each(storageBackends)('the load of an archive on %s', (_name, openStorage) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ jobs: await openStorage() });
    for (let n = 0; n < 60; n += 1)
      world.emulator.seed.logGroup({ region, logGroupName: `/many/${n}` });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const hourly = {
    ...archiveBody,
    logGroupNames: undefined,
    logGroupNamePrefix: '/many/',
    partitionBy: 'hour',
  };
  const plan = (body: object) => world.call('POST', '/archives?dryRun=true', body);

  test('rejects exports that take more than the time of the slot, unless overload is allowed', async () => {
    const full = await plan(hourly);
    const double = await plan({ ...hourly, refreshDays: 1 });
    const allowed = await plan({ ...hourly, refreshDays: 1, allowOverload: true });

    expect(full.body).toMatchObject({ load: { exportsPerDay: 1_440, targetShare: 1 } });
    expect(full.body.warnings).toEqual([
      {
        pointer: '#/partitionBy',
        detail:
          'This archive has 1,440 exports a day of 60 seconds each: 100 % of the time of the slot. The seconds are an assumption, because the target has no completed export yet. All archives of the target together take 100 %.',
      },
    ]);
    expect([double.status, double.body.type]).toEqual([422, '/problems/archive-overload']);
    expect(double.body.detail).toContain('200 % of the time of the slot');
    expect(allowed.status).toBe(200);
  });

  test('rejects all but one of the archives that fit alone and are stored at once', async () => {
    const planned = planOfArchive({ partitionBy: 'hour' });
    const logGroups = Array.from({ length: 60 }, (_, n) => ({ logGroupName: `/many/${n}` }));
    const load = { ...planned.load, slotShare: 1, targetShare: 1, secondsOfTarget: 60 };

    const outcomes = await Promise.allSettled(
      ['ana', 'ben', 'cem'].map((caller) =>
        acceptArchive(world.database, {
          archiveId: randomUUID(),
          request: requestOf(caller),
          target: 'other',
          createdAt: 0,
          keyUse: undefined,
          plan: { ...planned, logGroups, load },
        }),
      ),
    );

    const failures = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []));
    expect(failures.map(({ slug }) => slug)).toEqual(['archive-overload', 'archive-overload']);
    expect(failures[0].detail).toContain('All archives of the target together take 200 %.');
  });

  test('counts an archive that the service has not looked at yet', async () => {
    const { status } = await world.call('POST', '/archives', hourly);

    const more = await plan(archiveBody);

    expect([status, more.status]).toEqual([201, 422]);
    expect(more.body.type).toBe('/problems/archive-overload');
    expect(more.body.detail).toContain('All archives of the target together take 101 %.');
  });

  test('counts log groups that a change adds, also when two changes come at once', async () => {
    for (const { id } of (await world.call('GET', '/archives')).body.archives)
      await world.call('DELETE', `/archives/${id}`);
    const small = { ...hourly, logGroupNamePrefix: '/many/59' };
    const created = [];
    for (let n = 0; n < 2; n += 1) created.push(await world.call('POST', '/archives', small));

    const changes = await Promise.all(
      created.map(({ body }) =>
        world.call(
          'PATCH',
          `/archives/${body.id}`,
          { logGroupNamePrefix: '/many/', exceptLogGroupNamePrefixes: ['/many/1'] },
          { 'if-match': '*' },
        ),
      ),
    );

    expect(changes.map(({ status }) => status).sort()).toEqual([200, 422]);
  });

  test('is known from the exports of the target, and better from those of its log groups', async () => {
    await insertExports(world.database, 'default', [
      ['/other', 5],
      ['/other', 20],
      ['/other', 30],
      ['/app', 2],
    ]);

    const target = await plan({ ...hourly, allowOverload: true });
    const logGroups = await plan({ ...archiveBody, allowOverload: true });

    expect(target.body.load).toMatchObject({ basis: 'target', secondsPerExport: 20 });
    expect(logGroups.body.load).toMatchObject({ basis: 'log-groups', secondsPerExport: 2 });
  });
});

test('rejects the hundred and first archive of a caller that has not ended', async () => {
  await using world = await openWorld({ jobs: {} });
  const { body } = await world.call('POST', '/archives', archiveBody);
  const [row] = await world.database.queries.selectFrom('archives').selectAll().execute();
  const copies = Array.from({ length: 99 }, () => ({ ...row, id: randomUUID() }));
  await world.database.queries
    .insertInto('archives')
    .values(copies as never)
    .execute();

  const refused = await world.call('POST', '/archives', archiveBody);
  const planned = await world.call('POST', '/archives?dryRun=true', archiveBody);
  await world.database.queries
    .updateTable('archives')
    .set({ endedAt: 1 })
    .where('id', '=', body.id)
    .execute();
  const accepted = await world.call('POST', '/archives', archiveBody);

  for (const { status, body } of [refused, planned])
    expect([status, body.type]).toEqual([429, '/problems/too-many-archives']);
  expect(accepted.status).toBe(201);
});
