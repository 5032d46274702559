import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import type { CrashPoint } from '#export-jobs/dispatcher/owned-slot.ts';
import { openQueue, type Queue } from '../open-queue.ts';

// A process is killed at each point of the protocol, and another one continues from the database.

const points: { diesAt: CrashPoint; answer?: Fault; creates: number }[] = [
  { diesAt: 'before-intent', creates: 1 },
  { diesAt: 'in-intent', creates: 1 },
  { diesAt: 'after-intent', creates: 1 },
  { diesAt: 'before-send', creates: 1 },
  { diesAt: 'before-outcome', creates: 1 },
  { diesAt: 'in-outcome', creates: 1 },
  {
    diesAt: 'in-adopt',
    answer: { kind: 'reset-after', operation: 'CreateExportTask' },
    creates: 1,
  },
  {
    diesAt: 'in-requeue',
    answer: { kind: 'reset-before', operation: 'CreateExportTask' },
    creates: 2,
  },
];

/** Checks what must hold for every finished queue. */
async function expectEachOnce(queue: Queue, jobId: string): Promise<void> {
  const tasks = queue.emulator.exportTasks();
  const attempts = await queue.database.queries
    .selectFrom('attempts')
    .selectAll()
    .where('outcome', '=', 'completed')
    .orderBy('slice')
    .execute();
  const states = await queue.states(jobId);
  expect(states).toEqual(states.map(() => 'completed'));
  expect(attempts.map(({ slice }) => slice)).toEqual(states.map((_, index) => index));
  expect(attempts.map(({ taskId }) => taskId).sort()).toEqual(
    tasks.map(({ taskId }) => taskId).sort(),
  );
  expect(await queue.database.queries.selectFrom('strays').selectAll().execute()).toEqual([]);
}

// At a kill, all that a database does itself is a rollback.
const inTransaction = points.filter(({ diesAt }) => diesAt.startsWith('in-'));

describe.each([
  { backend: 'sqlite' as const, points },
  { backend: 'postgres' as const, points: inTransaction },
])('a killed process, on $backend', ({ backend, points }) => {
  test.each(points)(
    '$diesAt: is replaced by another one, and each slice has one task',
    async ({ diesAt, answer, creates }) => {
      await using queue = await openQueue({ backend, replicas: 0 });
      if (answer) queue.emulator.faults.add(answer);
      const jobId = await queue.put({ slices: 2, verification: 'objects' });
      const first = await queue.openReplica({ diesAt });
      await queue.time.runUntil(first.isDown);
      const version = await versionOf(queue);

      await queue.openReplica();
      await queue.runUntilDone();

      await expectEachOnce(queue, jobId);
      expect(queue.calls('CreateExportTask')).toHaveLength(creates + 1);
      expect(await versionOf(queue)).toBeGreaterThan(version);
    },
  );
});

test('commits the marker before it sends the create', async () => {
  const seen: string[][] = [];
  await using queue = await openQueue({
    backend: 'postgres',
    reach: async (point) => {
      if (point !== 'before-send') return;
      const rows = await queue.database.queries.selectFrom('attempts').select('marker').execute();
      seen.push(rows.map(({ marker }) => marker));
    },
  });
  await queue.put();

  await queue.runUntilDone();

  const [task] = queue.emulator.exportTasks();
  expect(seen).toEqual([[task?.taskName]]);
});

test('leaves an orphaned task to the next process if it is killed before the cancel', async () => {
  await using queue = await openQueue({
    replicas: 0,
    emulator: { runningMs: 600_000, activeTaskLimit: 2 },
  });
  queue.emulator.faults.add({
    kind: 'late-effect',
    operation: 'CreateExportTask',
    delayMs: 200_000,
  });
  await queue.put();
  const first = await queue.openReplica({ diesAt: 'before-orphan-cancel' });
  await queue.time.runUntil(first.isDown);

  await queue.openReplica();
  await queue.runUntilDone();

  const statuses = queue.emulator.exportTasks().map(({ status }) => status);
  expect(statuses.sort()).toEqual(['CANCELLED', 'COMPLETED']);
  expect(await queue.states()).toEqual(['completed']);
});

test('completes all jobs although processes are killed at every point in turn', async () => {
  await using queue = await openQueue({ replicas: 0 });
  const jobId = await queue.put({ slices: 3 });
  const inTurn: CrashPoint[] = [
    'in-outcome',
    'in-adopt',
    'after-intent',
    'in-requeue',
    'before-send',
    'before-outcome',
    'in-intent',
  ];
  for (const diesAt of inTurn) {
    const replica = await queue.openReplica({ diesAt });
    await queue.time.runUntil(replica.isDown);
  }

  await queue.openReplica();
  await queue.runUntilDone();

  await expectEachOnce(queue, jobId);
});

const versionOf = async ({ database }: Queue) =>
  (await database.queries.selectFrom('jobs').select('version').executeTakeFirstOrThrow()).version;
