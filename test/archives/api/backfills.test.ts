import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { as } from '../../access.ts';
import { type Policies, policiesOf } from '../../export-jobs/jobs-of-callers.ts';
import { storageBackends } from '../../export-jobs/storage-backends.ts';
import { openWorld, type World } from '../../world.ts';
import { givenArchive, givenLogGroup, insertExports, rangesOf } from '../archives-of-callers.ts';
import { countPrefixes } from '../count-prefixes.ts';

const day = (n: number) => Date.UTC(2024, 0, n);
/** Days of January 2024. */
const range = (from: number, to: number) => ({
  from: new Date(day(from)).toISOString(),
  to: new Date(day(to)).toISOString(),
});
const window = (from: number, to: number) => ({ fromAt: day(from), toAt: day(to) });

describe.each(storageBackends)('a backfill, on %s', (_name, openStorage) => {
  let world: World;
  let policies: Policies;
  beforeAll(async () => {
    policies = policiesOf(() => true);
    world = await openWorld({ jobs: await openStorage(), access: policies.access });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => policies.change(() => true));

  const post = (id: string, body: unknown, query = '') =>
    world.call('POST', `/archives/${id}/backfills${query}`, body, as('ann'));
  const plan = async (id: string, body: unknown) => (await post(id, body, '?dryRun=true')).body;
  const prefixArchive = { logGroupNames: null, logGroupNamePrefix: '/app' };
  const fail = (archiveId: string, n: number) =>
    world.database.queries
      .insertInto('archivePartitions')
      .values({
        archiveId,
        logGroupName: '/app',
        incarnation: 1,
        ...window(n, n + 1),
        state: 'missing',
        jobId: null,
        revision: 1,
        failures: 4,
        retryAt: null,
        problem: '{}',
      })
      .execute();

  test('stores a backfill before the answer, wakes the keeper, and writes an audit entry', async () => {
    const id = await givenArchive(world.database);
    await world.database.queries
      .updateTable('archives')
      .set({ lookDueAt: Number.MAX_SAFE_INTEGER })
      .where('id', '=', id)
      .execute();

    const { status, body } = await post(id, { ...range(1, 3), order: 'newest' });
    const second = await post(id, { ...range(1, 3), logGroupNames: ['/app'], reprocess: 'failed' });

    expect(status).toBe(201);
    expect(body).toEqual({
      number: 1,
      from: '2024-01-01T00:00:00.000Z',
      to: '2024-01-03T00:00:00.000Z',
      reprocess: 'missing',
      order: 'newest',
      requestedAt: expect.stringMatching(/Z$/),
      caller: 'test#ann',
    });
    expect(second.body).toMatchObject({ number: 2, logGroupNames: ['/app'] });
    const { lookDueAt } = await world.database.queries
      .selectFrom('archives')
      .select('lookDueAt')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect(lookDueAt).toBeLessThanOrEqual(Date.now());
    const entries = await world.database.queries
      .selectFrom('auditEntries')
      .select(['change', 'principal'])
      .where('archiveId', '=', id)
      .where('change', '=', 'archive-backfill-requested')
      .execute();
    expect(entries).toHaveLength(2);
  });

  test('lists backfills with their ends, newest first', async () => {
    const id = await givenArchive(world.database);
    for (const n of [1, 2, 3]) await post(id, range(n, n + 1));
    await world.database.queries
      .updateTable('archiveBackfills')
      .set({ endedAt: day(40) })
      .where('archiveId', '=', id)
      .where('number', '=', 1)
      .execute();
    const list = (query: string) =>
      world.call('GET', `/archives/${id}/backfills${query}`, undefined, as('ann'));

    const first = await list('?limit=2');
    const second = await list(`?limit=2&cursor=${first.body.nextCursor}`);
    policies.change((_principal, { action }) => action !== 'ReadArchive');
    const hidden = await list('');

    expect(first.body.backfills).toMatchObject([{ number: 3 }, { number: 2 }]);
    expect(second.body).toEqual({
      backfills: [
        expect.objectContaining({
          number: 1,
          ...range(1, 2),
          endedAt: new Date(day(40)).toISOString(),
        }),
      ],
    });
    expect(hidden.status).toBe(404);
  });

  test('says in a dry run how much it exports, for each kind, and stores nothing', async () => {
    const id = await givenArchive(world.database, { definition: prefixArchive });
    await givenLogGroup(world.database, id, {}, [
      window(3, 5),
      { ...window(5, 6), state: 'lost', cause: 'retention' },
    ]);
    await fail(id, 8);
    await givenLogGroup(world.database, id, { logGroupName: '/app/young', createdAt: day(10) + 1 });
    await givenLogGroup(world.database, id, { logGroupName: '/app/gone', goneAt: day(20) });
    await givenLogGroup(world.database, id, { logGroupName: '/app/short', retentionDays: 1 });
    await insertExports(world.database, 'default', [['/x', 30]]);

    // Of /app: 10 days without the covered 3rd and 4th, and without the lost 5th. Of /app/young: the 10th.
    const missing = await plan(id, range(1, 11));
    const failed = await plan(id, { ...range(1, 11), reprocess: 'failed' });
    const all = await plan(id, { ...range(1, 11), reprocess: 'all' });
    const named = await plan(id, { ...range(1, 11), logGroupNames: ['/app/young'] });

    expect([missing, failed, all, named].map(({ partitions }) => partitions)).toEqual([
      7, 8, 10, 1,
    ]);
    expect(missing).toMatchObject({ ...range(1, 11), expectedSeconds: 7 * 30 });
    const stored = await world.database.queries
      .selectFrom('archiveBackfills')
      .select('number')
      .where('archiveId', '=', id)
      .execute();
    expect(stored).toEqual([]);
  });

  test('counts a failed second export in a dry run only if it asks for failed or for all', async () => {
    const id = await givenArchive(world.database, { definition: prefixArchive });
    await givenLogGroup(world.database, id, {}, [{ ...window(1, 8), again: 'refresh' }]);
    await fail(id, 3);
    await fail(id, 9);

    const counts: number[] = [];
    for (const reprocess of ['missing', 'failed', 'all'])
      counts.push((await plan(id, { ...range(1, 11), reprocess })).partitions);

    expect(counts).toEqual([2, 4, 10]);
  });

  test('of nothing is accepted with a warning, once the log groups are listed', async () => {
    const id = await givenArchive(world.database, { definition: prefixArchive });
    await givenLogGroup(world.database, id, { createdAt: day(10) });
    const unlisted = await post(id, range(1, 3));
    await world.database.queries
      .updateTable('archives')
      .set({ listedAt: day(20) })
      .where('id', '=', id)
      .execute();

    const planned = await plan(id, range(1, 3));
    const accepted = await post(id, range(1, 3));
    const useful = await post(id, range(1, 12));

    const warnings = [
      { pointer: '#/from', detail: expect.stringContaining('The log groups were created later') },
    ];
    expect(planned).toMatchObject({ partitions: 0, warnings });
    expect([accepted.status, accepted.body.warnings]).toEqual([201, warnings]);
    expect([unlisted.body.warnings, useful.body.warnings]).toEqual([undefined, undefined]);
  });

  test('makes failed partitions due at once if it asks for them', async () => {
    const id = await givenArchive(world.database);
    await fail(id, 1);
    await fail(id, 2);
    await fail(id, 9);
    const rows = () =>
      world.database.queries
        .selectFrom('archivePartitions')
        .select(['fromAt', 'failures', 'retryAt'])
        .where('archiveId', '=', id)
        .orderBy('fromAt')
        .execute();

    await post(id, range(1, 3));
    const before = await rows();
    await post(id, { ...range(1, 3), reprocess: 'failed' });
    const after = await rows();

    expect(before.map(({ retryAt }) => retryAt)).toEqual([null, null, null]);
    expect(after.map(({ failures }) => failures)).toEqual([0, 0, 4]);
    expect(after.map(({ retryAt }) => retryAt !== null && retryAt <= Date.now())).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('marks covered time to be exported again if it asks for all, and nothing else', async () => {
    const id = await givenArchive(world.database, { definition: prefixArchive });
    const lost = { ...window(6, 9), state: 'lost' as const, cause: 'retention' };
    await givenLogGroup(world.database, id, {}, [window(1, 6), lost]);
    await givenLogGroup(world.database, id, { logGroupName: '/app/b' }, [window(1, 6)]);

    await post(id, { ...range(3, 8), logGroupNames: ['/app'], reprocess: 'all' });

    const facts = { cause: null, state: 'covered' };
    expect(await rangesOf(world.database, id)).toEqual([
      { logGroupName: '/app', ...facts, ...window(1, 3), again: null },
      { logGroupName: '/app', ...facts, ...window(3, 6), again: 'backfill' },
      { logGroupName: '/app', ...lost, again: null },
      { logGroupName: '/app/b', ...facts, ...window(1, 6), again: null },
    ]);
  });

  test.each([
    ['from', { ...range(1, 3), from: '2024-01-01T01:00:00Z' }, 'must be the start of a partition'],
    ['from', range(3, 3), 'must be before to'],
    [
      'to',
      { ...range(1, 3), to: '2200-01-01T00:00:00Z' },
      'must not be after the start of the current partition',
    ],
    [
      'logGroupNames/1',
      { ...range(1, 3), logGroupNames: ['/app', '/b'] },
      'must be a log group of the archive',
    ],
    ['reprocess', { ...range(1, 3), reprocess: 'some' }, 'must be one of missing, failed, all'],
  ])('rejects a mistake in %s', async (member, body, words) => {
    const id = await givenArchive(world.database);

    const answer = await post(id, body);

    expect(answer.body.errors).toEqual([
      { in: 'body', pointer: `#/${member}`, detail: expect.stringContaining(words) },
    ]);
  });

  test('only counts names of other log groups after the first fifty', async () => {
    const id = await givenArchive(world.database);
    const logGroupNames = Array.from({ length: 1_000 }, (_, n) => `/${'x'.repeat(500)}/${n}`);

    const { body, text } = await post(id, { ...range(1, 3), logGroupNames });

    expect(body.detail).toBe('The request breaks 1000 rules.');
    expect(body.errors).toHaveLength(51);
    expect(body.errors[50].detail).toBe('950 more members break a rule.');
    expect(text.length).toBeLessThan(40_000);
  });

  describe('of 1,000 long names, by a prefix without log groups', () => {
    const logGroupNames = Array.from({ length: 1_000 }, (_, n) => `/none/${n}/`.padEnd(512, 'x'));
    const body = { from: day(1), to: day(3), logGroupNames };
    const archiveOf = (template: string) => {
      const destinationPrefix = `${template}/{yyyy}/{MM}/{dd}/{revision}`;
      const definition = { ...prefixArchive, logGroupNamePrefix: '/none', destinationPrefix };
      return givenArchive(world.database, { definition });
    };
    const decide = (isPermitted: boolean) => {
      const counts = { decided: 0 };
      policies.change((_principal, { action }) => {
        if (action !== 'CreateArchive') return true;
        counts.decided += 1;
        return isPermitted;
      });
      return counts;
    };

    test.each(['', '?dryRun=true'])(
      'is rejected before any decision if they do not fit the prefix%s',
      async (query) => {
        const id = await archiveOf('{logGroup}'.repeat(97));
        const counts = decide(true);
        using prefixes = countPrefixes(day(1));

        const { status, body: problem } = await post(id, body, query);

        expect([status, problem.type]).toEqual([400, '/problems/invalid-request']);
        expect(problem.errors[0]).toEqual({
          in: 'body',
          pointer: '#/logGroupNames/0',
          detail: expect.stringMatching(
            /^must fit destinationPrefix of the archive, which must have at most \d+ bytes/,
          ),
        });
        expect([counts.decided, prefixes.rendered]).toEqual([0, 0]);
      },
    );

    test.each(['', '?dryRun=true'])(
      'renders one prefix if the first is refused%s',
      async (query) => {
        const id = await archiveOf('{logGroup}');
        const counts = decide(false);
        using prefixes = countPrefixes(day(1));

        const { status } = await post(id, body, query);

        expect(status).toBe(403);
        expect([counts.decided, prefixes.rendered]).toEqual([1, 1]);
      },
    );

    test('lets other requests run between the prefixes', async () => {
      const id = await archiveOf('{logGroup}');
      decide(true);
      using prefixes = countPrefixes(day(1));
      const seen = new Set<number>();
      let isDone = false;
      const look = () => {
        seen.add(prefixes.rendered);
        if (!isDone) setImmediate(look);
      };
      setImmediate(look);

      const { status } = await post(id, body);
      isDone = true;

      expect(status).toBe(201);
      expect([...seen]).toEqual(expect.arrayContaining([20, 40, 60, 980]));
    });
  });

  test('must be permitted as a create, for its names or the prefix, over its time', async () => {
    const named = await givenArchive(world.database);
    const byPrefix = await givenArchive(world.database, { definition: prefixArchive });
    const asked: unknown[] = [];
    policies.change((_principal, { action, resource, context }) => {
      if (action !== 'CreateArchive') return true;
      asked.push([resource.logGroupName, context?.from, context?.to, context?.destinationPrefix]);
      return false;
    });

    const answers = [
      await post(named, range(1, 3)),
      await post(byPrefix, range(1, 3)),
      await post(byPrefix, { ...range(1, 3), logGroupNames: ['/app/x'] }, '?dryRun=true'),
    ];

    for (const { status, body } of answers)
      expect([status, body.type]).toEqual([403, '/problems/not-permitted']);
    const time = [BigInt(day(1)), BigInt(day(3)) - 1n];
    expect(asked).toEqual([
      ['/app', ...time, 'app/2024/01/01/1'],
      ['/app', ...time, 'app/2024/01/01/1'],
      ['/app/x', ...time, 'app/x/2024/01/01/1'],
    ]);
  });

  test('lists the first hundred names of each backfill, without those that the caller may not read', async () => {
    const id = await givenArchive(world.database, { definition: prefixArchive });
    const logGroupNames = Array.from({ length: 150 }, (_, index) => `/app/${index}`);
    const added = await post(id, { ...range(1, 3), logGroupNames });
    policies.change((_principal, { resource }) => resource.logGroupName !== '/app/7');

    const { body } = await world.call('GET', `/archives/${id}/backfills`, undefined, as('ann'));

    expect(added.body.logGroupNames).toEqual(logGroupNames);
    expect(body.backfills[0].logGroupNames).toEqual(
      logGroupNames.slice(0, 100).filter((name) => name !== '/app/7'),
    );
  });

  test('rejects names if those of all backfills would have more than 5,000,000 characters', async () => {
    const id = await givenArchive(world.database);
    const named = { ...range(1, 3), logGroupNames: ['/app'] };
    await post(id, named);
    await world.database.queries
      .updateTable('archiveBackfills')
      .set({ logGroupNames: JSON.stringify(['x'.repeat(5_000_000 - 4 - 8)]) })
      .where('archiveId', '=', id)
      .execute();

    const last = await post(id, named);
    const refused = [await post(id, named), await post(id, named, '?dryRun=true')];
    const ofAll = await post(id, range(1, 3));

    expect(last.status).toBe(201);
    for (const { status, body } of refused)
      expect([status, body.type]).toEqual([422, '/problems/too-many-backfills']);
    expect(ofAll.status).toBe(201);
  });

  test('rejects a backfill of an ended archive, and the 1,001st backfill of an archive', async () => {
    const ended = await givenArchive(world.database);
    await world.call('DELETE', `/archives/${ended}`, undefined, as('ann'));
    const full = await givenArchive(world.database);
    const { body } = await post(full, range(1, 3));
    await world.database.queries
      .updateTable('archiveBackfills')
      .set({ number: 1_000 * body.number })
      .where('archiveId', '=', full)
      .execute();

    const afterEnd = await post(ended, range(1, 3));
    const planned = await post(ended, range(1, 3), '?dryRun=true');
    const tooMany = await post(full, range(1, 3));
    const tooManyPlanned = await post(full, range(1, 3), '?dryRun=true');

    expect([afterEnd.body.type, planned.body.type]).toEqual([
      '/problems/archive-ended',
      '/problems/archive-ended',
    ]);
    for (const { status, body } of [tooMany, tooManyPlanned])
      expect([status, body.type]).toEqual([422, '/problems/too-many-backfills']);
  });
});
