import { describe, expect, test } from 'vitest';

import { makeDatabaseClock } from '#export-jobs/store/steps/database-clock.ts';
import { openLine } from '../queue-of-jobs.ts';

const hourMs = 3_600_000;
const told = 'clock of the database was set back, waits are shortened';

describe.each(['sqlite', 'postgres'] as const)(
  'a clock of the database set back by an hour, in %s',
  (home) => {
    /** A line whose database has a clock that can be turned. */
    async function openTurnable(options: Parameters<typeof openLine>[0] = {}) {
      const off = { ms: 0 };
      const line = await openLine({ home, clockOffMs: () => off.ms, ...options });
      return { line, off };
    }

    test('lets what waits go on within ten seconds, and is an error in the log', async () => {
      const { line, off } = await openTurnable();
      await using _closed = line;
      const jobId = await line.put({ slices: 3 });
      await line.time.runUntil(async () => (await line.states(jobId))[0] === 'running');

      off.ms = -hourMs;
      const backAt = line.time.now();
      await line.runUntilDone();

      expect(await line.states(jobId)).toEqual(Array(3).fill('completed'));
      expect(line.emulator.exportTasks()).toHaveLength(3);
      expect(line.time.now() - backAt).toBeLessThan(25_000);
      expect(line.log.filter(({ text }) => text === told)).toEqual([
        expect.objectContaining({ level: 'error', target: 'default' }),
      ]);
    });

    test('lets what waits go on when nobody was at work meanwhile', async () => {
      const { line, off } = await openTurnable({ replicas: 0 });
      await using _closed = line;
      const jobId = await line.put({ slices: 2 });

      off.ms = -hourMs;
      await line.openReplica();
      const openedAt = line.time.now();
      await line.runUntilDone();

      expect(await line.states(jobId)).toEqual(['completed', 'completed']);
      expect(line.time.now() - openedAt).toBeLessThan(15_000);
    });

    test('does not keep the slot of an owner that has died', async () => {
      const { line, off } = await openTurnable({ replicas: 0 });
      await using _closed = line;
      const jobId = await line.put({ slices: 1 });
      await line.openReplica({ diesAt: 'after-intent' });
      await line.time.runUntil(() => line.replicas[0]?.isDown() === true);

      off.ms = -hourMs;
      await line.openReplica();
      const openedAt = line.time.now();
      await line.runUntilDone();

      expect(await line.states(jobId)).toEqual(['completed']);
      expect(line.emulator.exportTasks()).toHaveLength(1);
      // The lease, two minutes in which the create may still take effect, and the task.
      expect(line.time.now() - openedAt).toBeLessThan(240_000);
    });

    test('does not keep a lost answer from being settled', async () => {
      const { line, off } = await openTurnable({ replicas: 0 });
      await using _closed = line;
      line.emulator.faults.add({ operation: 'CreateExportTask', kind: 'reset-before' });
      const jobId = await line.put({ slices: 1 });
      await line.openReplica();
      await line.time.runUntil(() => line.calls('DescribeExportTasks').length > 0);

      off.ms = -hourMs;
      const backAt = line.time.now();
      await line.runUntilDone();

      expect(await line.states(jobId)).toEqual(['completed']);
      expect(line.time.now() - backAt).toBeLessThan(300_000);
    });

    test('lets a slice go on that was waiting for another try when its owner died', async () => {
      const { line, off } = await openTurnable({ replicas: 0, random: () => 0 });
      await using _closed = line;
      line.emulator.faults.add({ operation: 'CreateExportTask', kind: 'task-fails' });
      const jobId = await line.put({ slices: 1 });
      const first = await line.openReplica();
      await line.time.runUntil(async () => (await line.slices(jobId))[0]?.problem != null);
      await first.close();

      off.ms = -hourMs;
      await line.openReplica();
      const openedAt = line.time.now();
      await line.runUntilDone();

      expect(await line.states(jobId)).toEqual(['completed']);
      expect(line.time.now() - openedAt).toBeLessThan(90_000);
    });

    test('leaves a slice waiting whose log events are still settling', async () => {
      const { line, off } = await openTurnable();
      await using _closed = line;
      const jobId = await line.put({ slices: 1, readyInMs: hourMs });

      off.ms = -hourMs;
      await line.time.runFor(60_000);

      expect(await line.states(jobId)).toEqual(['waiting']);
    });
  },
);

test('a clock set forward does not make a create absent that was just sent', async () => {
  let offMs = 0;
  await using line = await openLine({ replicas: 0, clockOffMs: () => offMs });
  line.emulator.faults.add({
    operation: 'CreateExportTask',
    kind: 'late-effect',
    delayMs: 60_000,
  });
  const jobId = await line.put({ slices: 1 });
  await line.openReplica();
  await line.time.runUntil(() => line.calls('DescribeExportTasks').length > 0);

  offMs = hourMs;
  await line.runUntilDone();

  expect(await line.states(jobId)).toEqual(['completed']);
  expect(line.emulator.exportTasks()).toHaveLength(1);
});

describe('the watch over the clock of the database', () => {
  test.each([
    ['went on as ours did', 5_000.25, 5_000, 0],
    ['was set forward', 5_000, 3_605_000, 0],
    ['was set back', 5_000.25, 5_000 - hourMs, hourMs],
    ['was set back by less than a second', 5_000, 4_200, 0],
  ])('of one that %s', (_what, oursMs, theirsMs, backMs) => {
    let at = 0;
    const clock = makeDatabaseClock(() => at);
    clock.see(1_714_521_600_000, at);
    at += oursMs;

    expect(clock.see(1_714_521_600_000 + theirsMs, at)).toBe(backMs);
  });

  test('takes a slow answer for no set back', () => {
    let at = 0;
    const clock = makeDatabaseClock(() => at);
    clock.see(1_000_000, at);
    const beganAt = at;
    at += 60_000; // read at once, answered late

    expect(clock.see(1_000_000, beganAt)).toBe(0);
  });
});
