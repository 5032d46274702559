import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';

import { readOpenSlices } from '#export-jobs/queue/read-open-slices.ts';
import { insertJob } from '../insert-rows.ts';
import { openStore, storageBackends } from '../storage-backends.ts';

const at = 1_714_521_600_000;
const repeat = <Value>(count: number, value: Value) => Array<Value>(count).fill(value);

describe.each(storageBackends)('the open slices, in %s', (_name, openStorage) => {
  const open = () => openStore(openStorage, () => at);

  test('are counted by target and state, with the age of the oldest ready one', async () => {
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

    const rows = await readOpenSlices(database);

    expect(rows.toSorted((one, other) => (one.target < other.target ? -1 : 1))).toEqual([
      { target: 'a', delayed: 2, ready: 2, oldestReadyMs: 5_000, active: 'running' },
      { target: 'b', delayed: 1, ready: 0, oldestReadyMs: 0, active: null },
      { target: 'c', delayed: 0, ready: 0, oldestReadyMs: 0, active: 'cancelling' },
    ]);
  });

  test('are none in an empty queue', async () => {
    await using database = await open();

    expect(await readOpenSlices(database)).toEqual([]);
  });

  test('of many targets are counted up to ten for each target and state', async () => {
    await using database = await open();
    const slices = [...repeat(12, { readyAt: at + 1 }), ...repeat(11, { readyAt: at })];
    await insertJob(database, { target: 'long', slices });
    const { jobId } = await database.queries
      .selectFrom('slices')
      .select('jobId')
      .executeTakeFirstOrThrow();
    // Each a waiting slice at a target of its own, in one statement.
    await sql`
      insert into slices (job_id, number, target, caller, priority, log_group_name, from_at, to_at, ready_at, state)
      with recursive numbers(number) as (select 100 union all select number + 1 from numbers where number < 1200)
      select cast(${jobId} as text), number, 'target-' || number, 'me', 0, '/app', 0, 1, 0, 'waiting' from numbers
    `.execute(database.queries);

    const rows = await readOpenSlices(database);

    expect(rows).toHaveLength(1_102);
    expect(rows.find(({ target }) => target === 'long')).toMatchObject({ delayed: 10, ready: 10 });
  });
});
