import { describe, expect, test } from 'vitest';

import { readOpenSlices } from '#export-jobs/queue/read-open-slices.ts';
import { insertJob, insertVerification } from '../insert-rows.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

const at = 1_714_521_600_000;
const repeat = <Value>(count: number, value: Value) => Array<Value>(count).fill(value);

const none = {
  delayed: 0,
  ready: 0,
  oldestReadyMs: 0,
  active: null,
  verifying: 0,
  oldestVerificationMs: 0,
  isHeldByOthers: false,
};

describe.each(storageBackends)('the open slices, in %s', (_name, openStorage) => {
  const open = () => openStore(openStorage, () => at);

  test('open slices are counted by target and state, with the age of the oldest ready one', async () => {
    await using database = await open();
    const [later, ready, ended] = [
      { readyAt: at + 1_000 },
      { readyAt: at - 2_000 },
      { state: 'completed', readyAt: at - 9_000 },
    ] as const;
    const running = { state: 'running', readyAt: at - 9_000 } as const;
    await insertJob(database, { target: 'a', slices: [later, later, ready, running, ended] });
    await insertJob(database, { target: 'a', slices: [{ readyAt: at - 5_000 }] });
    await insertJob(database, { target: 'b', slices: [later] });
    await insertJob(database, { target: 'c', slices: [{ state: 'cancelling', readyAt: at }] });
    await insertJob(database, { target: 'd', slices: [ended] });

    for (const [slice, endedAt] of [null, null, at].entries()) {
      const beganAt = at - (slice + 1) * 1_000;
      await insertVerification(database, { target: 'd', slice, beganAt, endedAt });
    }
    await insertVerification(database, { target: 'b', slice: 3, beganAt: at + 1_000 }); // the clock was set back

    const rows = await readOpenSlices(database, 4);

    expect(rows.toSorted((one, other) => (one.target < other.target ? -1 : 1))).toEqual([
      { ...none, target: 'a', delayed: 2, ready: 2, oldestReadyMs: 5_000, active: 'running' },
      { ...none, target: 'b', delayed: 1, verifying: 1 },
      { ...none, target: 'c', active: 'cancelling' },
      { ...none, target: 'd', verifying: 2, oldestVerificationMs: 2_000 },
    ]);
  });

  test('say that others hold a slot, as long as the replica that sees them has its lease', async () => {
    await using database = await open();
    const slot = { accountId: '', region: '', owner: 'one', foreignTaskId: 'task' };
    for (const target of ['held', 'left', 'free']) {
      await insertJob(database, { target, slices: [{ readyAt: at }] });
    }
    await database.queries
      .insertInto('slots')
      .values([
        { ...slot, target: 'held', leasedUntil: at + 1 },
        { ...slot, target: 'left', leasedUntil: at },
        { ...slot, target: 'free', leasedUntil: at + 1, foreignTaskId: null },
      ])
      .execute();

    const rows = await readOpenSlices(database, 3);

    expect(rows.filter(({ isHeldByOthers }) => isHeldByOthers).map(({ target }) => target)).toEqual(
      ['held'],
    );
  });

  test('are none in an empty queue', async () => {
    await using database = await open();

    expect(await readOpenSlices(database, 1)).toEqual([]);
  });

  test.each([
    [1, 12],
    [1_000, 10],
    [5_000, 10],
  ])('are counted up to a share of 10,000 for each of %i targets', async (targets, counted) => {
    await using database = await open();
    const slices = [...repeat(12, { readyAt: at + 1 }), ...repeat(12, { readyAt: at })];
    await insertJob(database, { target: 'long', slices });

    const rows = await readOpenSlices(database, targets);

    expect(rows).toMatchObject([{ delayed: counted, ready: counted }]);
  });
});
