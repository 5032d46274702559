import { expect, test } from 'vitest';

import { orderOwners } from '#export-jobs/dispatcher/replica/preferred-owner.ts';
import { openQueue } from '../open-queue.ts';

test('a slot stays with the only one of three replicas that can work it', async () => {
  await using queue = await openQueue({
    backend: 'postgres',
    replicas: 0,
    timings: { idleMs: 5_000 }, // fewer statements
    emulator: { runningMs: 3_600_000 },
  });
  const owners = ['replica-0', 'replica-1', 'replica-2'];
  const healthy = orderOwners('default', owners).at(-1); // both others come before it
  for (const owner of owners) await queue.openReplica({ breaksAws: owner !== healthy });
  const slot = () =>
    queue.database.queries.selectFrom('slots').select(['owner', 'fence']).executeTakeFirstOrThrow();
  await queue.time.runFor(1_000);
  await queue.put({ slices: 1 });

  await queue.time.runFor(120_000);
  const settled = await slot();
  await queue.time.runFor(300_000);

  expect(settled.owner).toBe(healthy);
  expect(await slot()).toEqual(settled);
});
