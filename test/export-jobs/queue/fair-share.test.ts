import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';

import type { Database } from '#database/database.ts';
import { recordMiss, restoreFairShare } from '#export-jobs/queue/fair-share.ts';
import { readStanding } from '#export-jobs/queue/read-queue.ts';
import { claimNextSlice } from '#export-jobs/store/steps/claim-next-slice.ts';
import { takeLease } from '#export-jobs/store/steps/hold-lease.ts';
import { insertJob } from '../insert-rows.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

const target = 'default';
const leaseMs = 60_000;

/** Takes the slot of a target and returns what starts the next slice, by default as the next start. */
async function openSlot(database: Database) {
  const request = { target, accountId: '1', region: 'r', owner: 'test', leaseMs };
  const { lease } = await takeLease(database, request);
  if (!lease) throw new Error('The slot is taken.');
  return async (turn?: number) => {
    const { queries } = database;
    if (turn !== undefined)
      await queries
        .updateTable('slots')
        .set({ turns: turn - 1 })
        .execute();
    const intent = await claimNextSlice(database, lease, {
      leaseMs,
      makeMarker: () => randomUUID(),
      renderPrefix: (template) => template,
      reachInside: async () => {},
    });
    if (!intent) throw new Error('No slice is ready.');
    return intent;
  };
}

/** Puts the slice in the slot back into the queue, or completes it. */
const leaveSlot = ({ queries }: Database, state: 'waiting' | 'completed') =>
  queries.updateTable('slices').set({ state }).where('state', '=', 'starting').execute();

describe.each(storageBackends)('a start that ignored the priority, on %s', (_, openStorage) => {
  test('is given back with the turn of its queue', async () => {
    await using database = await openStore(openStorage);
    await insertJob(database, { caller: 'ana', priority: 5, slices: [{}, {}] });
    await insertJob(database, { caller: 'ana', priority: 4 });
    await insertJob(database, { caller: 'ben' });
    const start = await openSlot(database);
    await start(9);
    await leaveSlot(database, 'completed');
    const tenth = await start(10);
    await restoreFairShare(database.queries, tenth);
    await leaveSlot(database, 'waiting');

    const twentieth = await start(20);

    expect([tenth, twentieth]).toMatchObject([{ priority: 4 }, { priority: 4 }]);
  });

  test('is given back to the other queues of the caller, too', async () => {
    await using database = await openStore(openStorage);
    await insertJob(database, { caller: 'ana', priority: 5 });
    await insertJob(database, { caller: 'ana', priority: 4 });
    await insertJob(database, { caller: 'ben' });
    const start = await openSlot(database);
    const tenth = await start(10);
    await restoreFairShare(database.queries, tenth);
    await leaveSlot(database, 'completed');

    const twentieth = await start(20);

    expect([tenth, twentieth]).toMatchObject([{ priority: 5 }, { priority: 4 }]);
  });

  test('is not given back with another turn of its queue', async () => {
    await using database = await openStore(openStorage);
    await insertJob(database, { caller: 'ana', priority: 5, slices: [{}, {}] });
    await insertJob(database, { caller: 'ben' });
    const start = await openSlot(database);
    await start(10);
    await leaveSlot(database, 'completed');
    await restoreFairShare(database.queries, await start(11));
    await leaveSlot(database, 'waiting');

    expect(await start(20)).toMatchObject({ caller: 'ben' });
  });

  test('comes again if AWS refuses every other start', async () => {
    await using database = await openStore(openStorage);
    await insertJob(database, { caller: 'ana', priority: 5, slices: Array(10).fill({}) });
    await insertJob(database, { caller: 'ben' });
    const start = await openSlot(database);
    const callers: string[] = [];

    for (let accepted = 0; accepted < 10; accepted += 1) {
      callers.push((await start()).caller);
      await leaveSlot(database, 'completed');
      await restoreFairShare(database.queries, await start());
      await leaveSlot(database, 'waiting');
    }

    expect(callers).toEqual([...Array(9).fill('ana'), 'ben']);
  });
});

describe.each(storageBackends)('a new priority of a caller, on %s', (_, openStorage) => {
  test('brings no further start that ignores the priority', async () => {
    await using database = await openStore(openStorage);
    await insertJob(database, { caller: 'ana', priority: 5, slices: [{}, {}] });
    await insertJob(database, { caller: 'ben' });
    await insertJob(database, { caller: 'eve', priority: 9, slices: [{}] });
    const start = await openSlot(database);
    const tenth = await start(10);
    await leaveSlot(database, 'completed');
    await insertJob(database, { caller: 'eve', priority: 8 });

    const twentieth = await start(20);

    expect([tenth, twentieth]).toMatchObject([{ caller: 'eve' }, { caller: 'ana' }]);
  });

  test('does not bring it back from aside', async () => {
    await using database = await openStore(openStorage);
    await insertJob(database, { caller: 'ana' });
    await insertJob(database, { caller: 'eve' });
    const eve = { target, caller: 'eve' };
    await recordMiss(database.queries, database, eve, 60_000);
    await recordMiss(database.queries, database, eve, 60_000);
    const expected = await readStanding(database.queries, target, { caller: 'eve', priority: 9 });
    await insertJob(database, { caller: 'eve', priority: 9 });
    const start = await openSlot(database);

    expect(await readStanding(database.queries, target, { caller: 'eve', priority: 9 })).toEqual(
      expected,
    );
    expect(expected.asideUntil).toBeGreaterThan(0);
    expect(await start(1)).toMatchObject({ caller: 'ana' });
  });
});
