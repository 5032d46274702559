import { describe, expect, test } from 'vitest';

import { openQueue } from '../open-queue.ts';

const hourMs = 3_600_000;
const told = 'clock of the database was set back, shortened the waits';

describe.each(['sqlite', 'postgres'] as const)(
  'a clock of the database set back by an hour, in %s',
  (backend) => {
    /** Opens a queue whose database has a clock that can be set. */
    async function openTurnable(options: Parameters<typeof openQueue>[0] = {}) {
      const off = { ms: 0 };
      const queue = await openQueue({ backend, clockOffMs: () => off.ms, ...options });
      return { queue, off };
    }

    test('lets waiting slices start within ten seconds, and logs an error', async () => {
      const { queue, off } = await openTurnable();
      await using _closed = queue;
      const jobId = await queue.put({ slices: 3 });
      await queue.time.runUntil(async () => (await queue.states(jobId))[0] === 'running');

      off.ms = -hourMs;
      const backAt = queue.time.now();
      await queue.runUntilDone();

      expect(await queue.states(jobId)).toEqual(Array(3).fill('completed'));
      expect(queue.emulator.exportTasks()).toHaveLength(3);
      expect(queue.time.now() - backAt).toBeLessThan(25_000);
      expect(queue.log.filter(({ text }) => text === told)).toEqual([
        expect.objectContaining({ level: 'error', target: 'default' }),
      ]);
    });

    test('lets waiting slices start if no owner worked meanwhile', async () => {
      const { queue, off } = await openTurnable({ replicas: 0 });
      await using _closed = queue;
      const jobId = await queue.put({ slices: 2 });

      off.ms = -hourMs;
      await queue.openReplica();
      const openedAt = queue.time.now();
      await queue.runUntilDone();

      expect(await queue.states(jobId)).toEqual(['completed', 'completed']);
      expect(queue.time.now() - openedAt).toBeLessThan(15_000);
    });

    test('does not keep the slot of a dead owner closed', async () => {
      const { queue, off } = await openTurnable({ replicas: 0 });
      await using _closed = queue;
      const jobId = await queue.put({ slices: 1 });
      await queue.openReplica({ diesAt: 'after-intent' });
      await queue.time.runUntil(() => queue.replicas[0]?.isDown() === true);

      off.ms = -hourMs;
      await queue.openReplica();
      const openedAt = queue.time.now();
      await queue.runUntilDone();

      expect(await queue.states(jobId)).toEqual(['completed']);
      expect(queue.emulator.exportTasks()).toHaveLength(1);
      // The lease, two minutes in which the create may still take effect, and the task.
      expect(queue.time.now() - openedAt).toBeLessThan(240_000);
    });

    test('does not keep a lost answer from being reconciled', async () => {
      const { queue, off } = await openTurnable({ replicas: 0 });
      await using _closed = queue;
      queue.emulator.faults.add({ operation: 'CreateExportTask', kind: 'reset-before' });
      const jobId = await queue.put({ slices: 1 });
      await queue.openReplica();
      await queue.time.runUntil(() => queue.calls('DescribeExportTasks').length > 0);

      off.ms = -hourMs;
      const backAt = queue.time.now();
      await queue.runUntilDone();

      expect(await queue.states(jobId)).toEqual(['completed']);
      expect(queue.time.now() - backAt).toBeLessThan(300_000);
    });

    test('lets a slice be tried again if its owner died during the wait', async () => {
      const { queue, off } = await openTurnable({ replicas: 0, random: () => 0 });
      await using _closed = queue;
      queue.emulator.faults.add({ operation: 'CreateExportTask', kind: 'task-fails' });
      const jobId = await queue.put({ slices: 1 });
      const first = await queue.openReplica();
      await queue.time.runUntil(async () => (await queue.slices(jobId))[0]?.problem != null);
      await first.close();

      off.ms = -hourMs;
      await queue.openReplica();
      const openedAt = queue.time.now();
      await queue.runUntilDone();

      expect(await queue.states(jobId)).toEqual(['completed']);
      expect(queue.time.now() - openedAt).toBeLessThan(90_000);
    });

    test('does not keep a new owner from finding an orphaned task within a minute', async () => {
      const emulator = { runningMs: hourMs, activeTaskLimit: 2 };
      const { queue, off } = await openTurnable({ replicas: 0, emulator });
      await using _closed = queue;
      const late = {
        operation: 'CreateExportTask',
        kind: 'late-effect',
        delayMs: 250_000,
      } as const;
      queue.emulator.faults.add(late);
      await queue.put({ slices: 1 });
      const first = await queue.openReplica();
      await queue.time.runUntil(() => queue.emulator.exportTasks().length === 1);
      await first.close();

      off.ms = -hourMs;
      await queue.openReplica();
      await queue.time.runUntil(() => queue.emulator.exportTasks().length === 2);
      await queue.time.runFor(60_000);

      expect(queue.calls('CancelExportTask')).toHaveLength(1);
    });

    test('keeps a slice waiting until its log events are exportable', async () => {
      const { queue, off } = await openTurnable();
      await using _closed = queue;
      const jobId = await queue.put({ slices: 1, readyInMs: hourMs });

      off.ms = -hourMs;
      await queue.time.runFor(60_000);

      expect(await queue.states(jobId)).toEqual(['waiting']);
    });
  },
);

const lateCreate = {
  operation: 'CreateExportTask',
  kind: 'late-effect',
  delayMs: 60_000,
} as const;

test('does not count a new create as absent if the clock is set forward', async () => {
  let offMs = 0;
  await using queue = await openQueue({ replicas: 0, clockOffMs: () => offMs });
  queue.emulator.faults.add(lateCreate);
  const jobId = await queue.put({ slices: 1 });
  await queue.openReplica();
  await queue.time.runUntil(() => queue.calls('DescribeExportTasks').length > 0);

  offMs = hourMs;
  await queue.runUntilDone();

  expect(await queue.states(jobId)).toEqual(['completed']);
  expect(queue.emulator.exportTasks()).toHaveLength(1);
});

test('does not count the create of another owner as absent if the clock is set forward', async () => {
  let offMs = 0;
  await using queue = await openQueue({ replicas: 0, clockOffMs: () => offMs });
  queue.emulator.faults.add(lateCreate);
  const jobId = await queue.put({ slices: 1 });
  const first = await queue.openReplica({ diesAt: 'before-outcome' });
  await queue.time.runUntil(first.isDown);

  offMs = hourMs;
  await queue.openReplica();
  await queue.time.runFor(90_000);

  expect(await queue.states(jobId)).toEqual(['completed']);
  expect(queue.emulator.exportTasks()).toHaveLength(1);
});

test('the clock does not count as set back if all leases are lost while another one is taken', async () => {
  const targets = ['eu-west-1', 'us-east-1'].map((region) => ({ name: region, region }));
  await using queue = await openQueue({ targets, replicas: 0, emulator: { runningMs: hourMs } });
  const [lost, taken] = targets.map(({ name }) => ({
    target: name,
    destination: `archive-${name}`,
  }));
  const creates = () => queue.calls('CreateExportTask').length;
  const renewals = new WeakSet<object>();
  const renewed = Promise.withResolvers<void>();
  let isTaking = false;
  await queue.openReplica({
    seeDatabase: (database) => ({
      ...database,
      async transaction(act) {
        if (isTaking) {
          isTaking = false;
          queue.time.expectSleepers(-1);
          await renewed.promise;
          queue.time.expectSleepers(1);
        }
        return database.transaction(act);
      },
      queries: database.queries.withPlugin({
        transformQuery({ node, queryId }) {
          if (JSON.stringify(node).includes('update slots set leased_until')) renewals.add(queryId);
          return node;
        },
        async transformResult({ result, queryId }) {
          if (!renewals.has(queryId) || result.rows.length > 0) return result;
          renewed.resolve();
          for (let turn = 0; creates() < 2 && turn < 10_000; turn += 1)
            await new Promise(setImmediate);
          return result;
        },
      }),
    }),
  });
  await queue.put(lost);
  await queue.time.runUntil(() => creates() === 1);

  isTaking = true;
  await queue.put(taken);
  await queue.time.runUntil(() => !isTaking);
  await queue.database.queries.updateTable('slots').set({ owner: 'another' }).execute();
  await queue.time.runUntil(() => creates() === 2);
  await queue.time.runFor(5_000);

  expect(queue.log.filter(({ text }) => text === told)).toEqual([]);
});
