import type { Fault } from 'cloudwatch-logs-export-emulator/source';
import { describe, expect, test } from 'vitest';

import type { CrashPoint } from '#export-jobs/dispatcher/slot.ts';
import { type Line, openLine } from '../queue-of-jobs.ts';

// A process is killed at each point of the protocol, and another goes on from what is on disk.

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

/** What must hold of every line that has come to its end. */
async function expectEachOnce(line: Line, jobId: string): Promise<void> {
  const tasks = line.emulator.exportTasks();
  const attempts = await line.database.queries
    .selectFrom('attempts')
    .selectAll()
    .where('outcome', '=', 'completed')
    .orderBy('slice')
    .execute();
  const states = await line.states(jobId);
  expect(states).toEqual(states.map(() => 'completed'));
  expect(attempts.map(({ slice }) => slice)).toEqual(states.map((_, index) => index));
  expect(attempts.map(({ taskId }) => taskId).sort()).toEqual(
    tasks.map(({ taskId }) => taskId).sort(),
  );
  expect(await line.database.queries.selectFrom('strays').selectAll().execute()).toEqual([]);
}

// What a home does of its own at a kill is to roll back.
const inTransaction = points.filter(({ diesAt }) => diesAt.startsWith('in-'));

describe.each([
  { home: 'sqlite' as const, points },
  { home: 'postgres' as const, points: inTransaction },
])('a process that is killed, on $home', ({ home, points }) => {
  test.each(points)(
    '$diesAt: another goes on, and each slice has one task',
    async ({ diesAt, answer, creates }) => {
      await using line = await openLine({ home, replicas: 0 });
      if (answer) line.emulator.faults.add(answer);
      const jobId = await line.put({ slices: 2 });
      const first = await line.openReplica({ diesAt });
      await line.time.runUntil(first.isDown);
      const version = await versionOf(line);

      await line.openReplica();
      await line.runUntilDone();

      await expectEachOnce(line, jobId);
      expect(line.calls('CreateExportTask')).toHaveLength(creates + 1);
      expect(await versionOf(line)).toBeGreaterThan(version);
    },
  );
});

test('when a create is sent, its marker is on disk, for everybody to see', async () => {
  const seen: string[][] = [];
  await using line = await openLine({
    home: 'postgres',
    reach: async (point) => {
      if (point !== 'before-send') return;
      const rows = await line.database.queries.selectFrom('attempts').select('marker').execute();
      seen.push(rows.map(({ marker }) => marker));
    },
  });
  await line.put();

  await line.runUntilDone();

  const [task] = line.emulator.exportTasks();
  expect(seen).toEqual([[task?.taskName]]);
});

test('a process that is killed before it cancels a stray task leaves it to the next', async () => {
  await using line = await openLine({
    replicas: 0,
    emulator: { runningMs: 600_000, activeTaskLimit: 2 },
  });
  line.emulator.faults.add({
    kind: 'late-effect',
    operation: 'CreateExportTask',
    delayMs: 200_000,
  });
  await line.put();
  const first = await line.openReplica({ diesAt: 'before-stray-cancel' });
  await line.time.runUntil(first.isDown);

  await line.openReplica();
  await line.runUntilDone();

  const statuses = line.emulator.exportTasks().map(({ status }) => status);
  expect(statuses.sort()).toEqual(['CANCELLED', 'COMPLETED']);
  expect(await line.states()).toEqual(['completed']);
});

test('processes that are killed one after the other at every point still come to the end', async () => {
  await using line = await openLine({ replicas: 0 });
  const jobId = await line.put({ slices: 3 });
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
    const replica = await line.openReplica({ diesAt });
    await line.time.runUntil(replica.isDown);
  }

  await line.openReplica();
  await line.runUntilDone();

  await expectEachOnce(line, jobId);
});

const versionOf = async ({ database }: Line) =>
  (await database.queries.selectFrom('jobs').select('version').executeTakeFirstOrThrow()).version;
