import { describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { leave, noteAlive, standBack } from '#export-jobs/store/membership.ts';
import { readWork } from '#export-jobs/store/reads/read-work.ts';
import { insertJob } from '../insert-rows.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

const at = 1_714_521_600_000;
const limits = { leaseMs: 30_000, soonMs: 1_000, sweepAfterSendMs: 600_000 };

const insertSlot = (database: Database, slot: { target: string } & Record<string, unknown>) =>
  database.queries
    .insertInto('slots')
    .values({ accountId: '1', region: 'r', leasedUntil: at - 5_000, ...slot })
    .execute();

const slotsOf = async (database: Database) =>
  (await readWork(database, limits)).slots.toSorted((one, other) =>
    one.target < other.target ? -1 : 1,
  );

describe.each(storageBackends)('the targets with work, in %s', (_name, openStorage) => {
  const open = (clock = () => at) => openStore(openStorage, clock);

  test('are found by their first slice that is ready, with the slot', async () => {
    await using database = await open();
    const ready = [{ readyAt: at + 60_000 }, { readyAt: at - 700 }, { readyAt: at + 500 }];
    await insertJob(database, { target: 'b', slices: ready });
    await insertJob(database, { target: 'a', slices: [{ readyAt: at + 900 }] });
    await insertSlot(database, { target: 'b', owner: 'me', leasedUntil: at + 20_000 });

    expect(await slotsOf(database)).toEqual([
      {
        target: 'a',
        readyInMs: 900,
        activeJobId: null,
        isCancelRequested: false,
        accountId: null,
        region: null,
        owner: null,
        leaseLeftMs: null,
        stoodBack: [],
      },
      {
        target: 'b',
        readyInMs: -700,
        activeJobId: null,
        isCancelRequested: false,
        accountId: '1',
        region: 'r',
        owner: 'me',
        leaseLeftMs: 20_000,
        stoodBack: [],
      },
    ]);
  });

  test('are found by the slice in the slot, with the cancel of its job', async () => {
    await using database = await open();
    const running = await insertJob(database, { target: 'a', slices: [{ state: 'running' }] });
    const starting = await insertJob(database, { target: 'b', slices: [{ state: 'starting' }] });
    await database.queries
      .updateTable('jobs')
      .set({ cancelRequestedAt: at })
      .where('id', '=', starting)
      .execute();

    expect(await slotsOf(database)).toMatchObject([
      { target: 'a', readyInMs: null, activeJobId: running, isCancelRequested: false },
      { target: 'b', readyInMs: null, activeJobId: starting, isCancelRequested: true },
    ]);
  });

  test('are found for ten minutes after a create was sent', async () => {
    await using database = await open();
    await insertSlot(database, { target: 'a', sentAt: at - 599_999 });
    await insertSlot(database, { target: 'b', sentAt: at - 600_000 });
    await insertSlot(database, { target: 'c', sentAt: null });

    expect(await slotsOf(database)).toMatchObject([{ target: 'a', leaseLeftMs: -5_000 }]);
  });

  test('are not found by slices that have ended, or wait for a later date', async () => {
    await using database = await open();
    await insertJob(database, {
      target: 'a',
      slices: [{ state: 'completed' }, { state: 'failed' }],
    });
    await insertJob(database, { target: 'b', slices: [{ readyAt: at + 60_000 }] });
    await database.queries
      .updateTable('slices')
      .set({ notBeforeAt: at + 60_000 })
      .execute();
    await insertSlot(database, { target: 'b' });

    expect(await slotsOf(database)).toEqual([]);
  });

  test.each<[string, { attempt?: number; slot?: object }, boolean]>([
    ['a slice is ready later that never had a reason to wait', {}, true],
    ['a slice waits for its retry', { attempt: 1 }, false],
    [
      '… and its slot was released later than now',
      { attempt: 1, slot: { leasedUntil: at + 2_000 } },
      true,
    ],
    [
      '… and its slot has a valid lease',
      { attempt: 1, slot: { owner: 'b', leasedUntil: at + 59_000 } },
      false,
    ],
    [
      '… and its slot has a lease longer than any valid one',
      { attempt: 1, slot: { owner: 'b', leasedUntil: at + 61_000 } },
      true,
    ],
  ])('show that the clock was set back: %s', async (_what, { attempt = 0, slot }, isFound) => {
    await using database = await open();
    await insertJob(database, { target: 'a', slices: [{ readyAt: at + 3_600_000 }] });
    await database.queries.updateTable('slices').set({ attempt }).execute();
    await insertSlot(database, { target: 'a', ...slot });

    expect(await slotsOf(database)).toHaveLength(isFound ? 1 : 0);
  });

  test('name the replica that stood back until its time is over', async () => {
    await using database = await open();
    for (const [target, stoodBackUntil] of [
      ['a', at + 1],
      ['b', at],
    ] as const) {
      await insertJob(database, { target });
      await insertSlot(database, { target, stoodBack: 'other', stoodBackUntil });
    }

    expect(await slotsOf(database)).toMatchObject([{ stoodBack: ['other'] }, { stoodBack: [] }]);
  });

  test('name all replicas that stood back, also one of an older version', async () => {
    await using database = await open();
    await insertJob(database, { target: 'a' });
    await insertSlot(database, { target: 'a' });
    const limits = { firstMs: 600_000, maxMs: 4_800_000 };
    const namesOf = async () => (await slotsOf(database))[0]?.stoodBack.toSorted();
    for (const owner of ['one', 'two'])
      await standBack(database.queries, database, { target: 'a', owner }, limits);

    const known = await namesOf();
    await database.queries.updateTable('slots').set({ stoodBack: 'older' }).execute();
    const withOlder = await namesOf();
    await leave(database, 'one');

    expect(known).toEqual(['one', 'two']);
    expect(withOlder).toEqual(['older', 'one', 'two']);
    expect(await namesOf()).toEqual(['older', 'two']);
  });

  test('are tried again by a replica that stood back, later each time that it fails', async () => {
    let now = at;
    await using database = await open(() => now);
    await insertSlot(database, { target: 'a' });
    const own = { target: 'a', owner: 'one' };
    const minutesAfter = async (waitMs: number) => {
      now += waitMs;
      await standBack(database.queries, database, own, { firstMs: 600_000, maxMs: 4_800_000 });
      const { endsAt } = await database.queries
        .selectFrom('standBacks')
        .select('endsAt')
        .executeTakeFirstOrThrow();
      return (endsAt - now) / 60_000;
    };

    const pauses = [];
    for (const minutes of [0, 10, 5, 25, 60, 100, 159, 160])
      pauses.push(await minutesAfter(minutes * 60_000));

    expect(pauses).toEqual([10, 20, 20, 40, 80, 80, 80, 10]);
  });

  test('come with the replicas that were seen within a lease', async () => {
    let offMs = 0;
    await using database = await open(() => at + offMs);
    await noteAlive(database, 'killed');
    offMs = 5_000;
    for (const owner of ['stopped', 'alive', 'alive']) await noteAlive(database, owner);
    await leave(database, 'stopped');
    offMs = 30_001;

    expect((await readWork(database, limits)).replicas).toEqual(['alive']);
  });
});
