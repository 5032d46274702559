import { describe, expect, test } from 'vitest';

import { Problem } from '#problems/problem.ts';
import { openSeededQueue, readManifests, verdictsOf, verificationsOf } from './seeded-exports.ts';

const completed = ['slice-verifying', 'slice-completed'];

describe.each(['sqlite', 'postgres'] as const)('a verification, on %s', (backend) => {
  test.each(['before-manifest', 'after-manifest'] as const)(
    'that is killed %s is taken up by another process, and there is one manifest with the same bytes',
    async (diesAt) => {
      await using queue = await openSeededQueue({ backend, replicas: 0 });
      await queue.put();
      const first = await queue.openReplica({ diesAt });
      await queue.time.runUntil(first.isDown);
      const before = await readManifests(queue);

      await queue.openReplica();
      await queue.runUntilDone();

      const after = await readManifests(queue);
      expect(before).toHaveLength(diesAt === 'after-manifest' ? 1 : 0);
      expect(after).toHaveLength(1);
      if (before.length > 0) expect(after).toEqual(before);
      expect(await verdictsOf(queue)).toEqual(completed);
      expect(await verificationsOf(queue)).toMatchObject([
        { looks: 2, manifestSha256: after[0]?.sha256, manifestKey: after[0]?.key },
      ]);
      const created = queue.emulator.exportTasks();
      expect(created).toHaveLength(1);
    },
  );

  test('that is killed with a count writes what was counted before', async () => {
    await using queue = await openSeededQueue({ backend, replicas: 0 });
    await queue.put({ verification: 'count' });
    const first = await queue.openReplica({ diesAt: 'after-manifest' });
    await queue.time.runUntil(first.isDown);
    const queries = queue.calls('StartQuery').length;

    await queue.openReplica();
    await queue.runUntilDone();

    expect(queue.calls('StartQuery')).toHaveLength(queries);
    expect(await verdictsOf(queue)).toEqual(completed);
    expect(await readManifests(queue)).toHaveLength(1);
  });

  test('at a target that is not checked yet waits for the check, without a problem', async () => {
    await using queue = await openSeededQueue({ backend, replicas: 0 });
    await queue.put();
    const first = await queue.openReplica({ diesAt: 'before-manifest' });
    await queue.time.runUntil(first.isDown);
    let isUnchecked = true;
    await queue.openReplica({ isUnchecked: () => isUnchecked });

    await queue.time.runFor(60_000);
    const slices = queue.database.queries.selectFrom('slices').select(['state', 'problem']);
    const meanwhile = await slices.execute();
    isUnchecked = false;
    await queue.time.runFor(5_000);

    expect(meanwhile).toEqual([{ state: 'verifying', problem: null }]);
    expect(await queue.states()).toEqual(['completed']);
    expect(queue.log.filter(({ text }) => `${text}`.startsWith('failed to verify'))).toEqual([]);
  });

  test('that froze records nothing after another process has taken it up', async () => {
    await using queue = await openSeededQueue({ backend, replicas: 0 });
    await queue.put();
    const first = await queue.openReplica({ freezesAt: 'before-manifest' });
    await queue.time.runUntil(first.isDown);
    await queue.openReplica();
    await queue.runUntilDone();
    const rows = await verificationsOf(queue);

    first.thaw();
    await queue.time.runFor(60_000);

    expect(await verificationsOf(queue)).toEqual(rows);
    expect(await verdictsOf(queue)).toEqual(completed);
    expect(await readManifests(queue)).toHaveLength(1);
  });

  test('at the new place of a target that moved is left to others, and keeps no old one', async () => {
    await using queue = await openSeededQueue({ backend });
    const fault = { kind: 'error', operation: 'ListObjectsV2', count: 100_000 } as const;
    queue.emulator.faults.add(fault);
    await queue.put();
    await queue.time.runUntil(async () => (await queue.states())[0] === 'verifying');
    const { queries } = queue.database;

    // As if another replica had exported it there.
    queue.targets.configure([{ name: 'default', region: 'eu-west-2' }]);
    await queries.updateTable('verifications').set({ region: 'eu-west-2' }).execute();
    await queue.time.runFor(60_000);

    expect(queue.targets.forDispatcher('default')?.isDraining()).not.toBe(true);
    expect(`${(await queue.slices())[0]?.problem}`).not.toContain('target-not-found');
  });

  test('ends with the cancel of its job if nobody can look at the export any more', async () => {
    await using queue = await openSeededQueue({ backend, replicas: 0 });
    const jobId = await queue.put();
    const first = await queue.openReplica({ diesAt: 'before-manifest' });
    await queue.time.runUntil(first.isDown);
    await queue.openReplica({ targets: [{ name: 'another', region: 'eu-west-2' }] });
    await queue.time.runFor(60_000);
    const before = await queue.slices();

    await queue.cancel(jobId);
    await queue.time.runFor(12 * 60_000);
    const meanwhile = await queue.states();
    await queue.runUntilDone();

    expect(before).toMatchObject([
      { state: 'verifying', problem: expect.stringContaining('target-not-found') },
    ]);
    expect([meanwhile, await queue.states()]).toEqual([['verifying'], ['cancelled']]);
    const lines = await queue.database.queries.selectFrom('lines').selectAll().execute();
    expect(lines).toMatchObject([{ asideUntil: 0, watchedUntil: 0 }]);
    const ends = queue.database.queries.selectFrom('jobs').select('endedAt');
    expect(await ends.execute()).toEqual([{ endedAt: expect.any(Number) }]);
  });
});

test('a verification whose release failed with the database is taken up while another one lasts', async () => {
  let isAway = false;
  let lasts = 0;
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
  await using queue = await openSeededQueue({
    replicas: 0,
    async reach(point) {
      if (point !== 'before-manifest') return;
      lasts += 1;
      if (lasts === 1) isAway = true;
      if (lasts !== 2) return;
      queue.time.expectSleepers(-1);
      await isOver;
      queue.time.expectSleepers(1);
    },
  });
  await queue.put({ slices: 2 });
  await queue.openReplica({
    seeDatabase: (database) => ({
      ...database,
      async transaction(act) {
        if (isAway) throw new Problem('database-unavailable', 'The database does not answer.');
        return database.transaction(act);
      },
    }),
  });
  await queue.time.runUntil(() => isAway);
  await queue.time.runFor(5_000);
  isAway = false;

  await queue.time.runUntil(() => lasts === 2);
  await queue.time.runFor(120_000);
  const meanwhile = await queue.states();
  end();
  await queue.runUntilDone();

  expect(meanwhile).toEqual(['completed', 'verifying']);
  expect(await queue.states()).toEqual(['completed', 'completed']);
});

describe('an export', () => {
  test('whose manifest exists with other bytes is repeated, and gets another manifest', async () => {
    await using queue = await openSeededQueue({ replicas: 0 });
    await queue.put();
    const first = await queue.openReplica({ diesAt: 'after-manifest' });
    await queue.time.runUntil(first.isDown);
    await queue.database.queries.updateTable('attempts').set({ submittedAt: 1 }).execute();

    await queue.openReplica();
    await queue.runUntilDone();

    expect(await verdictsOf(queue)).toEqual([
      'slice-verifying',
      'slice-waiting: export-incomplete',
      ...completed,
    ]);
    expect(await readManifests(queue)).toHaveLength(2);
  });
});

describe('the slot', () => {
  test('does not wait for a verification', async () => {
    await using queue = await openSeededQueue();
    queue.emulator.faults.add({
      operation: 'ListObjectsV2',
      kind: 'error',
      code: 'Unknown',
      status: 400,
      headers: { date: 'unknown' },
      count: Number.POSITIVE_INFINITY,
    });
    await queue.put({ slices: 3 });

    await queue.time.runUntil(async () =>
      (await queue.states()).every((state) => state === 'verifying'),
    );

    expect(queue.calls('CreateExportTask')).toHaveLength(3);
    const times = queue.calls('CreateExportTask').map(({ at }) => at);
    // A task takes two seconds here, and the next poll comes within one.
    expect(Math.max(...times) - Math.min(...times)).toBeLessThan(8_000);
    queue.emulator.faults.clear();
    await queue.runUntilDone();
    expect(await queue.states()).toEqual(['completed', 'completed', 'completed']);
  });

  test('is left by a target that was removed only after the verification', async () => {
    await using queue = await openSeededQueue();
    queue.emulator.faults.add({
      operation: 'CreateExportTask',
      kind: 'objects-late',
      delayMs: 4_000,
    });
    await queue.put();
    await queue.time.runUntil(async () => (await queue.states())[0] === 'verifying');

    queue.targets.configure([{ name: 'another', region: 'eu-west-2' }]);
    await queue.runUntilDone();

    expect(await queue.states()).toEqual(['completed']);
  });
});
