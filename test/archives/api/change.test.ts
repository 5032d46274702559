import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { putRange } from '#coverage/ledger/put-range.ts';
import { startOf } from '#coverage/ledger/units.ts';
import { readClock } from '#export-jobs/queue/read-queue.ts';
import { as, type Rule } from '../../access.ts';
import { type Policies, policiesOf } from '../../export-jobs/jobs-of-callers.ts';
import { storageBackends } from '../../export-jobs/storage-backends.ts';
import { openWorld, region, type World } from '../../world.ts';
import { archiveBody, givenLogGroup, rangesOf, summaryOf } from '../archives-of-callers.ts';

const dayMs = 86_400_000;

/** Callers may do everything with their own archives. */
const ownOnly: Rule = (_principal, { action, context }) =>
  action === 'CreateArchive' || context?.isOwn === true;

describe.each(storageBackends)('a change of an archive, on %s', (_name, openStorage) => {
  let world: World;
  let policies: Policies;
  /** Runs while a request waits between two calls to AWS. */
  let meanwhile = async () => {};
  beforeAll(async () => {
    policies = policiesOf(ownOnly);
    world = await openWorld({
      jobs: await openStorage(),
      access: policies.access,
      heartbeatOrigins: ['https://hc.example.com'],
      sleep: () => meanwhile(),
    });
    world.emulator.seed.logGroup({ region, logGroupName: '/short', retentionInDays: 1 });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => policies.change(ownOnly));

  const call = (method: string, path: string, body?: unknown, headers = {}, name = 'ann') =>
    world.call(method, `/archives${path}`, body, { ...as(name), ...headers });
  const create = async (body: object = {}) => {
    const answer = await call('POST', '', { ...archiveBody, ...body });
    return { id: answer.body.id as string, etag: answer.headers.get('etag') ?? '' };
  };
  const patch = (id: string, body: unknown, etag = '*', name = 'ann') =>
    call('PATCH', `/${id}`, body, { 'if-match': etag }, name);
  const rowOf = (id: string) =>
    world.database.queries
      .selectFrom('archives')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
  const neverLook = (id: string) =>
    world.database.queries
      .updateTable('archives')
      .set({ lookDueAt: Number.MAX_SAFE_INTEGER })
      .where('id', '=', id)
      .execute();
  const changesOf = (id: string) =>
    world.database.queries
      .selectFrom('auditEntries')
      .select(['change', 'principal', 'reason', 'version', 'policies'])
      .where('archiveId', '=', id)
      .orderBy('version')
      .execute();

  describe('PATCH', () => {
    test('changes members, and keeps the others', async () => {
      const { id, etag } = await create({ refreshDays: 3, to: '2034-01-01T00:00:00Z' });
      await neverLook(id);

      const { status, body, headers } = await patch(
        id,
        { name: 'renamed', priority: 0, to: null, catchUpDays: 7 },
        etag,
      );

      expect(status).toBe(200);
      expect(body).toMatchObject({
        id,
        name: 'renamed',
        priority: 0,
        refreshDays: 3,
        catchUpDays: 7,
      });
      expect(body.to).toBeUndefined();
      expect(headers.get('etag')).not.toBe(etag);
      expect((await call('GET', `/${id}`)).body).toEqual(body);
      expect((await rowOf(id)).lookDueAt).toBeLessThanOrEqual(Date.now());
      expect(await changesOf(id)).toEqual([
        expect.objectContaining({ change: 'archive-created', version: 1 }),
        expect.objectContaining({ change: 'archive-changed', version: 2, principal: 'test#ann' }),
      ]);
    });

    test('sets the default for null', async () => {
      const { id } = await create({
        priority: 3,
        refreshDays: 2,
        heartbeatUrl: 'https://hc.example.com/1',
      });

      const { body } = await patch(id, { priority: null, refreshDays: null, heartbeatUrl: null });

      expect(body).toMatchObject({ priority: -5, refreshDays: 0 });
      expect(body.heartbeatOrigin).toBeUndefined();
    });

    test('exports covered partitions again that a larger refreshDays still includes', async () => {
      const { id } = await create();
      const { queries } = world.database;
      const key = { archiveId: id, logGroupName: '/app', incarnation: 1 };
      const ledger = { ...key, partitionBy: 'day' } as const;
      const clock = await readClock(world.database);
      const lastAt = startOf(clock, 'day') - dayMs;
      await queries
        .insertInto('archiveLogGroups')
        .values({ ...key, createdAt: 0, seenAt: 0 })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      const cover = { state: 'covered', isEmpty: 0, again: null, cause: null } as const;
      const window = { fromAt: lastAt - 20 * dayMs, toAt: lastAt };
      await world.database.transaction(async (transaction) => {
        await putRange(transaction, ledger, { ...window, ...cover });
        const backfill = { fromAt: lastAt - 2 * dayMs, toAt: lastAt - dayMs } as const;
        await putRange(transaction, ledger, { ...backfill, ...cover, again: 'backfill' });
      });
      const readAgain = async () => {
        const ranges = queries.selectFrom('archiveRanges').where('archiveId', '=', id);
        const rows = await ranges.select(['fromAt', 'toAt', 'again']).orderBy('fromAt').execute();
        return rows.map(({ fromAt, toAt, again }) => [
          (fromAt - lastAt) / dayMs,
          (toAt - lastAt) / dayMs,
          again,
        ]);
      };

      await patch(id, { priority: 1 });
      const without = await readAgain();
      await patch(id, { refreshDays: 5 });
      const larger = await readAgain();
      await patch(id, { refreshDays: 4 });

      expect(without).toEqual([
        [-20, -2, null],
        [-2, -1, 'backfill'],
        [-1, 0, null],
      ]);
      // At midnight, the last day that is included can be one later.
      const first =
        startOf(await readClock(world.database), 'day') - lastAt - dayMs > 0 ? [-4, -3] : [-4];
      expect(first).toContain(larger[0]?.[1]);
      expect(larger).toEqual([
        [-20, larger[0]?.[1], null],
        [larger[0]?.[1], -2, 'refresh'],
        [-2, -1, 'backfill'],
        [-1, 0, 'refresh'],
      ]);
      expect(await readAgain()).toEqual(larger);
    });

    test('replaces names by a prefix, and the other way round', async () => {
      const { id } = await create();

      const prefix = await patch(id, { logGroupNamePrefix: '/ap' });
      const names = await patch(id, { logGroupNames: ['/app'], logGroupNamePrefix: null });
      const none = await patch(id, { logGroupNames: null });
      const both = await patch(id, { logGroupNames: ['/app'], logGroupNamePrefix: '/ap' });
      await patch(id, { logGroupNamePrefix: '/ap' });
      const noPrefix = await patch(id, { logGroupNamePrefix: null });

      expect(prefix.body).toMatchObject({ logGroupNamePrefix: '/ap' });
      expect(prefix.body.logGroupNames).toBeUndefined();
      expect(names.body).toMatchObject({ logGroupNames: ['/app'] });
      expect(names.body.logGroupNamePrefix).toBeUndefined();
      const errors = [none, both, noPrefix].map(({ body }) => body.errors);
      expect(errors).toEqual(
        [
          [
            'logGroupNames',
            'must not be null without logGroupNamePrefix: an archive has exactly one of them',
          ],
          ['logGroupNames', 'must be absent with logGroupNamePrefix: an archive has one of them'],
          [
            'logGroupNamePrefix',
            'must not be null without logGroupNames: an archive has exactly one of them',
          ],
        ].map(([member, detail]) => [{ in: 'body', pointer: `#/${member}`, detail }]),
      );
    });

    test.each([
      ['target', 'other', 'cannot be changed; for another target, create a new archive'],
      ['partitionBy', 'hour', 'cannot be changed; for another unit, create a new archive'],
      ['from', '2024-01-01', 'cannot be changed; for earlier partitions, request a backfill'],
    ])('rejects a change of %s, and says what to do instead', async (member, value, detail) => {
      const { id } = await create();

      const { status, body } = await patch(id, { [member]: value });

      expect(status).toBe(400);
      expect(body.errors).toEqual([{ in: 'body', pointer: `#/${member}`, detail }]);
    });

    test('does not change anything twice', async () => {
      const { id } = await create();
      const first = await patch(id, { priority: 1 });

      const again = await patch(id, { priority: 1 });

      expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
      expect(await changesOf(id)).toHaveLength(2);
    });

    test('rejects a change of an earlier definition, but not after a look', async () => {
      const { id, etag } = await create();
      await world.database.queries
        .updateTable('archives')
        .set(({ eb }) => ({ summary: JSON.stringify(summaryOf()), version: eb('version', '+', 1) }))
        .where('id', '=', id)
        .execute();

      const looked = await patch(id, { priority: 1 }, etag);
      const stale = await patch(id, { priority: 2 }, etag);
      const listed = await patch(id, { priority: 2 }, `"x", ${looked.headers.get('etag')}`);

      expect(looked.status).toBe(200);
      expect([stale.status, stale.body.type]).toEqual([412, '/problems/precondition-failed']);
      expect(listed.status).toBe(200);
    });

    test.each(['its ETag', '*'])(
      'rejects a change with %s if another one comes while it is planned',
      async (tag) => {
        // More names than one call to AWS takes, so that it waits in between.
        const logGroupNames = Array.from({ length: 51 }, (_, n) => (n === 0 ? '/app' : `/${n}`));
        const { id, etag } = await create({ logGroupNames });
        meanwhile = async () => {
          meanwhile = async () => {};
          expect((await patch(id, { name: 'other' })).status).toBe(200);
        };

        const { status, body } = await patch(id, { priority: 1 }, tag === '*' ? tag : etag);

        expect([status, body.type]).toEqual([412, '/problems/precondition-failed']);
        expect((await call('GET', `/${id}`)).body).toMatchObject({ name: 'other', priority: -5 });
      },
    );

    test('requires If-Match', async () => {
      const { id } = await create();

      const { status, body } = await call('PATCH', `/${id}`, { priority: 1 });

      expect([status, body.type]).toEqual([428, '/problems/precondition-required']);
    });

    test.each([
      [{ partitionBy: 'hour' }, 400, '#/partitionBy'],
      [{ from: 0 }, 400, '#/from'],
      [{ name: null, destination: null }, 400, undefined],
      [{ logGroupNames: ['/a'], logGroupNamePrefix: '/a' }, 400, '#/logGroupNames'],
      [{ to: '2034-01-01T01:00:00Z' }, 400, '#/to'],
      [{ destinationPrefix: 'x' }, 400, '#/destinationPrefix'],
      [{ logGroupNames: ['/short'] }, 422, undefined],
      [{ logGroupNames: ['/nope'] }, 422, undefined],
    ])('rejects %j, and changes nothing', async (body, status, pointer) => {
      const { id } = await create();

      const answer = await patch(id, body);

      expect(answer.status).toBe(status);
      if (pointer) expect(answer.body.errors).toEqual([expect.objectContaining({ pointer })]);
      expect(await changesOf(id)).toHaveLength(1);
    });

    test('asks for the permission to create what it changes, with the new values', async () => {
      const { id } = await create();
      const asked: unknown[] = [];
      policies.change((_principal, { action, resource, context }) => {
        asked.push([action, resource.logGroupName, context?.destination, context?.priority]);
        return true;
      });

      await patch(id, { destination: 'other', priority: 9 }, '*', 'bob');
      await patch(id, { name: 'n' }, '*', 'bob');
      await patch(id, { catchUpDays: 3 }, '*', 'bob');
      await patch(id, { verification: 'count' }, '*', 'bob');

      expect(asked).toEqual([
        ['ChangeArchive', '/app', 'archive', undefined],
        ['CreateArchive', '/app', 'other', 9],
        ['ChangeArchive', '/app', 'other', undefined],
        ['ChangeArchive', '/app', 'other', undefined],
        ['CreateArchive', '/app', 'other', 9],
        ['ChangeArchive', '/app', 'other', undefined],
        ['CreateArchive', '/app', 'other', 9],
      ]);
    });

    test('rejects a change without the permission to create, and keeps the creator of the archive', async () => {
      const { id } = await create();
      policies.change((_principal, { action, context }) => {
        return action === 'ChangeArchive' || context?.destination === 'mine';
      });

      const refused = await patch(id, { destination: 'theirs' }, '*', 'bob');
      const permitted = await patch(id, { destination: 'mine' }, '*', 'bob');

      expect([refused.status, refused.body.type]).toEqual([403, '/problems/not-permitted']);
      expect(permitted.body.caller).toBe('test#ann');
      expect(JSON.parse((await rowOf(id)).principal).id).toBe('test#ann');
    });
  });

  describe('pause and resume', () => {
    test('change the state, with reason and caller, and wake the keeper', async () => {
      const { id } = await create();
      await neverLook(id);

      const paused = await call('POST', `/${id}/pause`, { reason: 'a move' });
      const due = (await rowOf(id)).lookDueAt;
      const resumed = await call('POST', `/${id}/resume`, { reason: 'moved' });

      expect(paused.body).toMatchObject({
        state: 'paused',
        pause: { at: expect.stringMatching(/Z$/), caller: 'test#ann', reason: 'a move' },
      });
      expect(due).toBeLessThanOrEqual(Date.now());
      expect(resumed.body.state).toBe('behind');
      expect(resumed.body.pause).toBeUndefined();
      expect((await changesOf(id)).slice(1)).toEqual([
        expect.objectContaining({ change: 'archive-paused', reason: 'a move' }),
        expect.objectContaining({ change: 'archive-resumed', reason: 'moved' }),
      ]);
    });

    test('accepts a repeated pause or resume, and keeps the first reason', async () => {
      const { id } = await create();

      await call('POST', `/${id}/pause`, { reason: 'first' });
      const again = await call('POST', `/${id}/pause`, { reason: 'second' });
      await call('POST', `/${id}/resume`, { reason: 'over' });
      const resumed = await call('POST', `/${id}/resume`, { reason: 'over again' });

      expect(again.body.pause.reason).toBe('first');
      expect(resumed.status).toBe(200);
      expect(await changesOf(id)).toHaveLength(3);
    });

    test('require a reason', async () => {
      const { id } = await create();

      const { body } = await call('POST', `/${id}/pause`, {});

      expect(body.errors).toEqual([
        {
          in: 'body',
          pointer: '#/reason',
          detail: 'is missing; it must be text of 1 to 1000 characters',
        },
      ]);
    });
  });

  describe('DELETE', () => {
    test('ends the archive, which stays readable, and may be repeated', async () => {
      const { id } = await create();

      const ended = await call('DELETE', `/${id}`);
      const again = await call('DELETE', `/${id}`);

      expect(ended.status).toBe(200);
      expect(ended.body).toMatchObject({ state: 'ended', endedAt: expect.stringMatching(/Z$/) });
      expect(again.body).toEqual(ended.body);
      expect((await call('GET', `/${id}?wait=30`)).body).toEqual(ended.body);
      expect(await changesOf(id)).toHaveLength(2);
    });

    test('refuses every later change', async () => {
      const { id } = await create();
      await call('DELETE', `/${id}`);

      const answers = [
        await patch(id, { name: 'x' }),
        await call('POST', `/${id}/pause`, { reason: 'x' }),
        await call('POST', `/${id}/resume`, { reason: 'x' }),
      ];

      for (const { status, body } of answers)
        expect([status, body.type]).toEqual([409, '/problems/archive-ended']);
    });
  });

  test.each([
    ['PATCH', '', { name: 'x' }],
    ['POST', '/pause', { reason: 'x' }],
    ['POST', '/resume', { reason: 'x' }],
    ['DELETE', '', undefined],
  ])(
    '%s %s answers for an archive of another caller as for no archive',
    async (method, path, body) => {
      const { id } = await create();

      const answer = await call(method, `/${id}${path}`, body, { 'if-match': '*' }, 'bob');

      expect([answer.status, answer.body.type]).toEqual([404, '/problems/archive-not-found']);
      expect(await changesOf(id)).toHaveLength(1);
    },
  );

  test('a waiver of a log group that the caller may not change is refused as if there were none', async () => {
    const { id } = await create({ logGroupNames: undefined, logGroupNamePrefix: '/app' });
    await givenLogGroup(world.database, id, { logGroupName: '/app/secret' });
    policies.change(
      (_principal, { action, resource }) =>
        action !== 'ChangeArchive' || resource.logGroupName !== '/app/secret',
    );
    const to = startOf(await readClock(world.database), 'day') + dayMs;
    const waive = (logGroupName: string) =>
      call('POST', `/${id}/waivers`, { logGroupName, from: to - dayMs, to, reason: 'a test' });

    const refused = [await waive('/app/secret'), await waive('/app/none')];
    const unchanged = await rangesOf(world.database, id);
    policies.change(ownOnly);
    const permitted = await waive('/app/secret');

    const [secret, none] = refused.map(({ status, body }) => [status, body.type, body.detail]);
    expect(secret).toEqual([
      422,
      '/problems/nothing-to-waive',
      'Log group /app/secret has no time to waive in this time range.',
    ]);
    expect(none?.slice(0, 2)).toEqual(secret?.slice(0, 2));
    expect(unchanged).toEqual([]);
    expect(permitted.status).toBe(201);
  });

  test('a body of PATCH is limited like one of POST', async () => {
    const { id } = await create();

    const { status, body } = await patch(id, { name: 'x'.repeat(1_048_576) });

    expect([status, body.detail]).toEqual([413, 'The body has more than 1,048,576 bytes.']);
  });
});
