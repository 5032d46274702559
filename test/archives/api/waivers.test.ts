import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { storageBackends } from '../../export-jobs/storage-backends.ts';
import { openWorld, type World } from '../../world.ts';
import { givenArchive, givenLogGroup, rangesOf } from '../archives-of-callers.ts';

const day = (n: number) => Date.UTC(2024, 0, n);
const window = (from: number, to: number) => ({ fromAt: day(from), toAt: day(to) });
/** Days of January 2024. */
const waiver = (from: number, to: number) => ({
  logGroupName: '/app',
  from: day(from),
  to: new Date(day(to)).toISOString(),
  reason: 'Nobody needs it.',
});

describe.each(storageBackends)('a waiver, on %s', (_name, openStorage) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld({ jobs: await openStorage() });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const post = (id: string, body: unknown) => world.call('POST', `/archives/${id}/waivers`, body);
  const lost = { state: 'lost', cause: 'retention' } as const;
  const waived = { logGroupName: '/app', state: 'waived', again: null };

  test('waives what is lost or not covered, and leaves what is covered', async () => {
    const id = await givenArchive(world.database);
    await givenLogGroup(world.database, id, {}, [{ ...window(1, 4), ...lost }, window(5, 7)]);

    const { status, body } = await post(id, waiver(2, 9));

    expect(status).toBe(201);
    expect(body).toEqual({
      number: 1,
      logGroupName: '/app',
      from: '2024-01-02T00:00:00.000Z',
      to: '2024-01-09T00:00:00.000Z',
      reason: 'Nobody needs it.',
      caller: 'anonymous',
      at: expect.stringMatching(/Z$/),
    });
    expect(await rangesOf(world.database, id)).toEqual([
      { ...waived, ...window(1, 2), ...lost },
      { ...waived, ...window(2, 5), cause: '1' },
      { ...waived, ...window(5, 7), state: 'covered', cause: null },
      { ...waived, ...window(7, 9), cause: '1' },
    ]);
  });

  test('is in the audit with its reason, and makes the keeper look', async () => {
    const id = await givenArchive(world.database);
    await givenLogGroup(world.database, id);
    await world.database.queries
      .updateTable('archives')
      .set({ lookDueAt: Number.MAX_SAFE_INTEGER })
      .where('id', '=', id)
      .execute();

    await post(id, waiver(1, 2));

    const entry = await world.database.queries
      .selectFrom('auditEntries')
      .select(['action', 'logGroupName', 'reason'])
      .where('archiveId', '=', id)
      .where('change', '=', 'archive-waived')
      .executeTakeFirst();
    expect(entry).toEqual({
      action: 'ChangeArchive',
      logGroupName: '/app',
      reason: 'Nobody needs it.',
    });
    const { lookDueAt } = await world.database.queries
      .selectFrom('archives')
      .select('lookDueAt')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect(lookDueAt).toBeLessThanOrEqual(Date.now());
  });

  test('is no wider than what the archive wants of each incarnation', async () => {
    const id = await givenArchive(world.database, { definition: { fromAt: day(3) } });
    await givenLogGroup(world.database, id, { goneAt: day(5) });
    await givenLogGroup(world.database, id, { incarnation: 2, createdAt: day(7) + 1 });

    await post(id, waiver(1, 9));

    expect(await rangesOf(world.database, id)).toEqual([
      { ...waived, ...window(3, 5), cause: '1' },
      { ...waived, ...window(7, 9), cause: '1' },
    ]);
  });

  test('keeps the number of the first waiver of a time', async () => {
    const id = await givenArchive(world.database);
    await givenLogGroup(world.database, id);

    await post(id, waiver(1, 3));
    await post(id, waiver(2, 5));

    expect(await rangesOf(world.database, id)).toEqual([
      { ...waived, ...window(1, 3), cause: '1' },
      { ...waived, ...window(3, 5), cause: '2' },
    ]);
  });

  test.each([
    ['does not have', {}, { ...waiver(1, 2), logGroupName: '/other' }],
    ['no longer selects', { logGroupNames: ['/x'] }, waiver(1, 2)],
  ])('is rejected for a log group that the archive %s', async (_what, definition, body) => {
    const id = await givenArchive(world.database, { definition });
    await givenLogGroup(world.database, id);

    const answer = await post(id, body);

    expect(answer.status).toBe(400);
    const detail = `must be a log group of the archive, but is ${body.logGroupName}`;
    expect(answer.body.errors).toEqual([{ in: 'body', pointer: '#/logGroupName', detail }]);
    expect(await rangesOf(world.database, id)).toEqual([]);
  });

  test.each([
    ['time that is covered', {}, waiver(5, 7)],
    ['time before the archive', {}, { ...waiver(1, 2), from: 0, to: day(1) }],
    [
      'a log group that does not exist yet',
      { logGroupNames: ['/app', '/later'] },
      { ...waiver(1, 2), logGroupName: '/later' },
    ],
  ])('is refused for %s, and stores nothing', async (_what, definition, body) => {
    const id = await givenArchive(world.database, { definition });
    await givenLogGroup(world.database, id, {}, [window(5, 7)]);

    const answer = await post(id, body);

    expect([answer.status, answer.body.type]).toEqual([422, '/problems/nothing-to-waive']);
    const stored = await world.database.queries
      .selectFrom('archiveWaivers')
      .select('number')
      .where('archiveId', '=', id)
      .execute();
    expect(stored).toEqual([]);
    expect(await rangesOf(world.database, id)).toHaveLength(1);
  });

  test.each([
    ['to', { ...waiver(1, 2), to: '2200-01-01T00:00:00Z' }],
    ['from', waiver(2, 2)],
    ['from', { ...waiver(1, 2), from: 1_704_067_200 }],
    ['reason', { ...waiver(1, 2), reason: '' }],
  ])('rejects a mistake in %s', async (member, body) => {
    const id = await givenArchive(world.database);

    const answer = await post(id, body);

    expect(answer.body.errors).toEqual([
      { in: 'body', pointer: `#/${member}`, detail: expect.any(String) },
    ]);
  });

  test('rejects a waiver of an ended archive, and the 1,001st waiver of an archive', async () => {
    const ended = await givenArchive(world.database);
    await world.call('DELETE', `/archives/${ended}`);
    const full = await givenArchive(world.database);
    await givenLogGroup(world.database, full);
    await post(full, waiver(1, 2));
    await world.database.queries
      .updateTable('archiveWaivers')
      .set({ number: 1_000 })
      .where('archiveId', '=', full)
      .execute();

    const afterEnd = await post(ended, waiver(1, 2));
    const tooMany = await post(full, waiver(2, 3));

    expect(afterEnd.body.type).toBe('/problems/archive-ended');
    expect([tooMany.status, tooMany.body.type]).toEqual([422, '/problems/too-many-waivers']);
  });
});
