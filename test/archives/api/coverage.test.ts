import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import { readCursor, toCursor } from '#paging/page.ts';
import { as } from '../../access.ts';
import { sliceProblem } from '../../export-jobs/accepted-jobs.ts';
import { type Policies, policiesOf } from '../../export-jobs/jobs-of-callers.ts';
import { storageBackends } from '../../export-jobs/storage-backends.ts';
import { openWorld, type World } from '../../world.ts';
import { givenArchive, givenLogGroup } from '../archives-of-callers.ts';

const day = (n: number) => Date.UTC(2024, 0, n);
const window = (from: number, to: number) => ({ fromAt: day(from), toAt: day(to) });
const times = (from: number, to: number) => ({
  from: new Date(day(from)).toISOString(),
  to: new Date(day(to)).toISOString(),
});
const lost = { state: 'lost', cause: 'retention' } as const;

describe.each(storageBackends)('GET /archives/{archiveId}/coverage on %s', (_name, openStorage) => {
  let world: World;
  let policies: Policies;
  beforeAll(async () => {
    policies = policiesOf(() => true);
    world = await openWorld({ jobs: await openStorage(), access: policies.access });
  });
  afterAll(() => world[Symbol.asyncDispose]());
  beforeEach(() => policies.change(() => true));

  const get = (id: string, query = '') =>
    world.call('GET', `/archives/${id}/coverage${query}`, undefined, as('ann'));
  /** An archive of January 2024. */
  const january = {
    fromAt: day(1),
    toAt: day(32),
    logGroupNames: null,
    logGroupNamePrefix: '/app',
  };
  const base = { logGroupName: '/app', incarnation: 1 };

  test('returns all partitions as runs, with what is known of each', async () => {
    const id = await givenArchive(world.database, { definition: january });
    await givenLogGroup(world.database, id, {}, [
      { ...window(1, 3), ...lost },
      window(3, 10),
      { ...window(10, 12), isEmpty: 1 },
      { ...window(12, 13), again: 'refresh' },
    ]);
    await world.database.queries
      .insertInto('archivePartitions')
      .values({
        archiveId: id,
        ...base,
        ...window(13, 14),
        state: 'missing',
        jobId: 'a-job',
        revision: 1,
        failures: 1,
        retryAt: day(60),
        problem: JSON.stringify(sliceProblem('export-task-failed')),
      })
      .execute();
    const waiver = { logGroupName: '/app', from: day(2), to: day(3), reason: 'Not needed.' };
    await world.call('POST', `/archives/${id}/waivers`, waiver, as('bob'));

    const { status, body } = await get(id);

    expect(status).toBe(200);
    expect(body).toEqual({
      runs: [
        { ...base, ...times(1, 2), partitions: 1, state: 'lost', cause: 'retention' },
        {
          ...base,
          ...times(2, 3),
          partitions: 1,
          state: 'waived',
          waiver: {
            number: 1,
            logGroupName: '/app',
            ...times(2, 3),
            reason: 'Not needed.',
            caller: 'test#bob',
            at: expect.stringMatching(/Z$/),
          },
        },
        {
          ...base,
          ...times(3, 10),
          partitions: 7,
          state: 'covered',
          isEmpty: false,
          isFinal: true,
        },
        {
          ...base,
          ...times(10, 12),
          partitions: 2,
          state: 'covered',
          isEmpty: true,
          isFinal: true,
        },
        {
          ...base,
          ...times(12, 13),
          partitions: 1,
          state: 'covered',
          isEmpty: false,
          isFinal: false,
        },
        {
          ...base,
          ...times(13, 14),
          partitions: 1,
          state: 'missing',
          jobId: 'a-job',
          problem: expect.objectContaining({ type: '/problems/export-task-failed' }),
          retryAt: new Date(day(60)).toISOString(),
        },
        { ...base, ...times(14, 32), partitions: 18, state: 'waiting' },
      ],
    });
  });

  test('pages through log groups with any name, and filters', async () => {
    const id = await givenArchive(world.database, { definition: january });
    const names = ['/app', '/app.#-_9', `/app/${'x'.repeat(507)}`];
    for (const logGroupName of names)
      await givenLogGroup(world.database, id, { logGroupName }, [window(1, 3), window(5, 32)]);
    const [, second] = names;

    const runs: { logGroupName: string; from: string; state: string }[] = [];
    for (let cursor = ''; ; ) {
      const { body } = await get(id, `?limit=2${cursor}`);
      runs.push(...body.runs);
      if (body.nextCursor === undefined) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    const waiting = await get(id, '?state=waiting');
    const part = await get(
      id,
      `?logGroupName=${encodeURIComponent(second ?? '')}&from=${day(2)}&to=2024-01-04T00:00:00Z`,
    );

    expect(runs.map(({ logGroupName, state }) => [logGroupName, state])).toEqual(
      names.flatMap((name) => ['covered', 'waiting', 'covered'].map((state) => [name, state])),
    );
    expect(
      waiting.body.runs.map(({ logGroupName }: { logGroupName: string }) => logGroupName),
    ).toEqual(names);
    expect(part.body.runs).toMatchObject([
      { logGroupName: second, ...times(2, 3), state: 'covered' },
      { logGroupName: second, ...times(3, 4), state: 'waiting' },
    ]);
  });

  test('has no log groups that the caller may not read, also not in a cursor', async () => {
    const id = await givenArchive(world.database, { definition: january });
    for (const name of ['/app/a', '/app/secret/1', '/app/secret/2', '/app/z'])
      await givenLogGroup(world.database, id, { logGroupName: name }, [window(1, 32)]);
    policies.change((_principal, { resource }) => !resource.logGroupName?.includes('secret'));
    const pages: string[][] = [];
    const cursors: unknown[] = [];

    for (let cursor = ''; ; ) {
      const { body } = await get(id, `?limit=1${cursor}`);
      pages.push(body.runs.map(({ logGroupName }: { logGroupName: string }) => logGroupName));
      if (body.nextCursor === undefined) break;
      cursors.push(readCursor(body.nextCursor, ['string', 'ordinal', 'number']));
      cursor = `&cursor=${body.nextCursor}`;
    }

    expect(pages).toEqual([['/app/a'], ['/app/z']]);
    expect(cursors).toEqual([['/app/z', 1, 0]]);
    expect((await get(id, '?logGroupName=/app/secret/1')).body).toEqual({ runs: [] });
  });

  test('stays readable after the end of the archive', async () => {
    const id = await givenArchive(world.database, { definition: january });
    await givenLogGroup(world.database, id, {}, [window(1, 32)]);
    await world.call('DELETE', `/archives/${id}`, undefined, as('ann'));

    const { body } = await get(id);

    expect(body.runs).toMatchObject([{ ...times(1, 32), partitions: 31, state: 'covered' }]);
  });

  test('shows the coverage only to callers who may read the archive', async () => {
    const id = await givenArchive(world.database, { definition: january });
    policies.change((_principal, { action }) => action !== 'ReadArchive');

    const { status, body } = await get(id);

    expect([status, body.type]).toEqual([404, '/problems/archive-not-found']);
  });

  test.each([
    ['?from=2024-01-02', 'from'],
    ['?from=2024-01-03T00:00:00Z&to=2024-01-03T00:00:00Z', 'from'],
    ['?state=gone', 'state'],
    ['?cursor=x', 'cursor'],
    [`?cursor=${toCursor(['/app', 2 ** 31, 0])}`, 'cursor'],
  ])('rejects %s', async (query, member) => {
    const id = await givenArchive(world.database);

    const { body } = await get(id, query);

    expect(body.errors).toEqual([
      { in: 'query', pointer: `#/${member}`, detail: expect.any(String) },
    ]);
  });
});
