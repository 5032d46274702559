import { describe, expect, test } from 'vitest';

import { orderOwners } from '#export-jobs/dispatcher/replica/preferred-owner.ts';
import { openQueue, type Queue } from '../open-queue.ts';

// Replicas on PostgreSQL share the targets that have work.

const leaseMs = 30_000;
// Each export costs a dozen statements, and each replica one a second. So tasks are as long as a test permits.
const makeTargets = (length: number) =>
  Array.from({ length }, (_, index) => ({ name: `target-${index}`, region: `eu-test-${index}` }));
// The hash of the names gives three of four to the second replica.
const targets = makeTargets(4);

const putEverywhere = async (queue: Queue, slices: number) => {
  for (const { name, region } of targets) {
    await queue.put({ target: name, slices, destination: `archive-${region}` });
  }
};

const slotsOf = ({ database }: Queue) =>
  database.queries
    .selectFrom('slots')
    .select(['target', 'owner', 'fence'])
    .orderBy('target')
    .execute();

/** How many slots each replica holds. */
async function sharesOf(queue: Queue): Promise<Record<string, number>> {
  const shares: Record<string, number> = {};
  for (const { owner } of await slotsOf(queue)) {
    if (owner !== null) shares[owner] = (shares[owner] ?? 0) + 1;
  }
  return shares;
}

const open = (options: Parameters<typeof openQueue>[0] = {}) =>
  openQueue({ backend: 'postgres', targets, replicas: 2, ...options });

describe('replicas', () => {
  test('share the targets with work, each slot has one owner, and it stays', async () => {
    await using queue = await open({ emulator: { runningMs: 9_500 } });
    await queue.time.runFor(3_000); // until both know each other, also on a busy machine
    await putEverywhere(queue, 7);

    await queue.time.runFor(3_000);
    const first = await slotsOf(queue);
    await queue.time.runFor(2 * leaseMs);

    expect(Object.keys(await sharesOf(queue))).toHaveLength(2);
    expect(first.map(({ fence }) => fence)).toEqual(targets.map(() => 1));
    expect(await slotsOf(queue)).toEqual(first);
  });

  test('give a new one its share within a lease, and no slot stands still for two seconds', async () => {
    await using queue = await open({ replicas: 1, emulator: { pendingMs: 100, runningMs: 3_900 } });
    await putEverywhere(queue, 13);
    await queue.time.runFor(15_000);

    const second = await queue.openReplica();
    await queue.time.runFor(leaseMs);

    const shares = await sharesOf(queue);
    expect(shares[second.owner]).toBeGreaterThanOrEqual(2);
    expect(
      (await slotsOf(queue))
        .map(({ fence }) => fence)
        .toSorted()
        .at(-1),
    ).toBe(2);
    expect(longestPauseMs(queue)).toBeLessThanOrEqual(2_000 + 1_000); // the end is noticed in a second
    await queue.runUntilDone();
    expect(queue.emulator.exportTasks()).toHaveLength(13 * targets.length);
  });

  test('take over all slots of a killed one within the lease and five seconds', async () => {
    await using queue = await open({ replicas: 1, emulator: { runningMs: 9_500 } });
    await putEverywhere(queue, 5);
    const second = await queue.openReplica({ diesAt: 'before-outcome' });
    await queue.time.runUntil(second.isDown);
    const killedAt = queue.time.now();

    await queue.time.runUntil(async () => (await sharesOf(queue))[second.owner] === undefined);

    expect(queue.time.now() - killedAt).toBeLessThanOrEqual(leaseMs + 5_000);
    await queue.runUntilDone();
    expect(queue.emulator.exportTasks()).toHaveLength(5 * targets.length);
  });

  test('take over the slots of a closed one within a second, and it is no longer a replica', async () => {
    await using queue = await open({ emulator: { runningMs: 20_000 } });
    await putEverywhere(queue, 3);
    await queue.time.runFor(5_000);
    const [first, second] = queue.replicas;

    await first?.close();
    await queue.time.runFor(1_000);

    expect(await sharesOf(queue)).toEqual({ [second?.owner ?? '']: targets.length });
    const replicas = await queue.database.queries.selectFrom('replicas').select('owner').execute();
    expect(replicas).toEqual([{ owner: second?.owner }]);
  });

  test('pass over one that knows none of the targets, and their slots stay where they are', async () => {
    await using queue = await open({ replicas: 1, emulator: { runningMs: 60_000 } });
    const stranger = await queue.openReplica({ targets: [{ name: 'other', region: 'eu-west-1' }] });
    await queue.time.runFor(1_000);
    await putEverywhere(queue, 3);
    const putAt = queue.time.now();

    await queue.time.runUntil(() => queue.calls('CreateExportTask').length === targets.length);
    const allStartedAt = queue.time.now();
    await queue.time.runFor(2 * leaseMs);

    expect(allStartedAt - putAt).toBeLessThanOrEqual(4_000);
    expect((await slotsOf(queue)).map(({ fence }) => fence)).toEqual(targets.map(() => 1));
    expect((await sharesOf(queue))[stranger.owner]).toBeUndefined();
  });

  test('hand over at most ten slots until a new one has taken them', async () => {
    const known = makeTargets(24);
    // Otherwise fewer than eleven move without a limit, too.
    const moving = known.filter(
      ({ name }) => orderOwners(name, ['replica-0', 'replica-1'])[0] === 'replica-1',
    );
    expect(moving.length).toBeGreaterThan(10);
    await using queue = await open({
      targets: known,
      replicas: 1,
      emulator: { runningMs: 3_600_000 },
    });
    for (const { name, region } of known) {
      await queue.put({ target: name, slices: 1, destination: `archive-${region}` });
    }
    await queue.time.runUntil(() => queue.calls('CreateExportTask').length === known.length);

    await queue.openReplica({ targets: [{ name: 'other', region: 'eu-west-1' }] });
    const free: number[] = [];
    for (let step = 0; step < 60; step++) {
      await queue.time.runFor(250);
      free.push((await slotsOf(queue)).filter(({ owner }) => owner === null).length);
    }

    expect(Math.max(...free)).toBeGreaterThan(5);
    expect(Math.max(...free)).toBeLessThanOrEqual(10);
  });

  test('do not give a slot back to one that could not work it, for ten minutes', async () => {
    await using queue = await open({
      replicas: 0,
      timings: { idleMs: 5_000 }, // fewer statements in ten minutes
      emulator: { runningMs: 3_600_000 },
    });
    const broken = await queue.openReplica({ breaksAws: true });
    const healthy = await queue.openReplica();
    await queue.time.runFor(1_000);
    await putEverywhere(queue, 1);
    const putAt = queue.time.now();

    await queue.time.runUntil(
      async () => (await sharesOf(queue))[healthy.owner] === targets.length,
    );
    const takenAt = queue.time.now();
    const first = await slotsOf(queue);
    await queue.time.runFor(540_000);

    expect(takenAt - putAt).toBeLessThanOrEqual(60_000);
    expect(await slotsOf(queue)).toEqual(first);
    expect((await sharesOf(queue))[broken.owner]).toBeUndefined();
  });

  test('do not hand over a slot while the outcome of its create is unknown', async () => {
    await using queue = await open({ replicas: 1 });
    const faults = { operation: 'CreateExportTask', kind: 'reset-before' } as const;
    queue.emulator.faults.add({ ...faults, count: targets.length });
    await putEverywhere(queue, 1);
    await queue.time.runFor(3_000);

    const second = await queue.openReplica();
    await queue.time.runFor(90_000);
    const meanwhile = await slotsOf(queue);
    const states = await queue.states();
    await queue.runUntilDone();
    await queue.time.runFor(leaseMs);

    expect(new Set(states)).toEqual(new Set(['starting']));
    expect(meanwhile.map(({ fence }) => fence)).toEqual(targets.map(() => 1));
    expect((await sharesOf(queue))[second.owner]).toBeGreaterThanOrEqual(2);
  });
});

/** The longest time from the end of a task to the create of the next one at the same target. */
function longestPauseMs({ emulator }: Queue): number {
  let longest = 0;
  for (const tasks of Map.groupBy(emulator.exportTasks(), ({ region }) => region).values()) {
    const inOrder = tasks.toSorted((one, other) => one.createdAt - other.createdAt);
    for (const [index, { createdAt }] of inOrder.slice(1).entries()) {
      longest = Math.max(longest, createdAt - (inOrder[index]?.finishedAt ?? createdAt));
    }
  }
  return longest;
}
