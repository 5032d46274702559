import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeCallSpacing } from '#export-jobs/dispatcher/pacing/call-spacing.ts';
import {
  makeTaskDurations,
  type TaskDurations,
} from '#export-jobs/dispatcher/pacing/task-durations.ts';
import { openQueue } from '../open-queue.ts';

const seed = Math.floor(Math.random() * 2 ** 31);

describe('the call spacing', () => {
  test(`allows 1.5 reads and 1.95 calls per second on average, and four reads in a second (seed ${seed})`, () => {
    const steps = fc.array(fc.record({ restMs: fc.nat(900), isCreate: fc.boolean() }), {
      minLength: 200,
      maxLength: 2_000,
    });
    const property = fc.property(steps, (taken) => {
      let now = 0;
      const spacing = makeCallSpacing({ elapsed: () => now, secondMs: 1_000 });
      const calls: number[] = [];
      const reads: number[] = [];
      for (const { restMs, isCreate } of taken) {
        now += restMs;
        now += spacing.freeInMs(); // every create follows a read, as in the dispatcher
        spacing.countRead();
        calls.push(now);
        reads.push(now);
        if (isCreate) {
          spacing.countWrite();
          calls.push(now);
        }
      }
      const areReadsApart = reads.every((at, index) => at - (reads[index - 1] ?? -250) >= 250);
      const isOnAverage = (times: number[], perSecond: number) =>
        times.every((at, index) => index - 100 <= (at / 1_000) * perSecond);
      return areReadsApart && isOnAverage(reads, 1.5) && isOnAverage(calls, 1.95);
    });
    fc.assert(property, { seed, numRuns: 100 });
  });

  test('saves calls while it makes none, up to a limit', () => {
    let now = 0;
    const spacing = makeCallSpacing({ elapsed: () => now, secondMs: 1_000 });
    const atFirst = spacing.savedShare();
    for (let read = 0; read < 20; read++) spacing.countRead();
    const afterReads = spacing.savedShare();
    now = 3_600_000;

    expect(atFirst).toBe(0.5);
    expect(afterReads).toBeCloseTo(0.4);
    expect(spacing.savedShare()).toBe(1);
  });
});

describe('the poll policy of a log group', () => {
  const state = { polledAt: 0, notBefore: 0, savedShare: 0.5 };
  const firstPollAt = (durations: TaskDurations, logGroupName: string) =>
    durations.policyOf(logGroupName).nextPollAt(state);
  const openDurations = (remembered: { logGroupName: string; durationMs: number }[] = []) =>
    makeTaskDurations(remembered, { secondMs: 1_000 });
  const many = (logGroupName: string, count: number, durationMs: number) =>
    Array.from({ length: count }, () => ({ logGroupName, durationMs }));

  test('follows the newest hundred durations of the group', () => {
    const durations = openDurations([...many('/a', 100, 2_000), ...many('/b', 20, 2_500)]);
    const before = firstPollAt(durations, '/a');
    for (let index = 0; index < 100; index++) durations.add('/a', 1_500);

    expect(before).toBeCloseTo(2);
    expect(firstPollAt(durations, '/a')).toBeCloseTo(1.5);
    expect(firstPollAt(durations, '/b')).toBeCloseTo(2.5);
  });

  test('follows the durations of all groups for a new one, until it has its own', () => {
    const durations = openDurations(many('/a', 30, 2_000));
    const ofNew = firstPollAt(durations, '/new');
    for (let index = 0; index < 10; index++) durations.add('/new', 1_000);

    expect(ofNew).toBeCloseTo(2);
    expect(firstPollAt(durations, '/new')).toBeCloseTo(1);
  });

  test('is kept until a duration is added', () => {
    const durations = openDurations(many('/a', 30, 2_000));
    const policy = durations.policyOf('/a');
    const again = durations.policyOf('/a');
    durations.add('/b', 2_000);

    expect(again).toBe(policy);
    expect(durations.policyOf('/a')).not.toBe(policy);
  });

  test('is kept for 250 log groups, without the oldest', () => {
    const durations = openDurations();
    for (let index = 0; index <= 250; index++) {
      for (const { durationMs } of many('/', 30, 2_000 + 100 * index))
        durations.add(`/${index}`, durationMs);
    }

    expect(firstPollAt(durations, '/1')).toBeCloseTo(2.1);
    expect(firstPollAt(durations, '/0')).toBe(firstPollAt(durations, '/new'));
  });
});

describe('a queue of many tasks', () => {
  test.each([
    { what: 'of two seconds', slices: 60, runningMs: 1_500, handOff: 0.06, calls: 1.2 },
    {
      what: `of 1.5 to 4 seconds (seed ${seed})`,
      slices: 100,
      runningMs: [1_000, 3_500] as const,
      handOff: 0.3,
      calls: 2,
    },
    { what: 'of a minute', slices: 10, runningMs: 59_500, handOff: 0.3, calls: 1.4 },
  ])(
    '$what loses at most $handOff s each, at $calls calls per second',
    async ({ what, slices, runningMs, handOff, calls }) => {
      await using queue = await openQueue({ emulator: { runningMs, randomSeed: seed } });
      await queue.put({ slices });
      const beganAt = queue.time.now();

      await queue.runUntilDone();

      const tookMs = queue.time.now() - beganAt;
      const busyMs = queue.emulator
        .exportTasks()
        .reduce((sum, { createdAt, finishedAt = 0 }) => sum + finishedAt - createdAt, 0);
      const lostSeconds = (tookMs - busyMs) / slices / 1_000;
      const callsASecond = (queue.emulator.journal.entries().length / tookMs) * 1_000;
      process.stdout.write(
        `${slices} tasks ${what}: ${lostSeconds.toFixed(3)} s each, ${callsASecond.toFixed(2)} calls a second\n`,
      );
      expect(lostSeconds).toBeLessThanOrEqual(handOff);
      expect(callsASecond).toBeLessThanOrEqual(calls);
    },
  );
});

test('a queue whose AWS rounds its times down to seconds learns the durations from its polls', async () => {
  const toSecond = (at = Number.NaN) => Math.floor(at / 1_000) * 1_000;
  await using queue = await openQueue({
    emulator: { pendingMs: 0, runningMs: 2_300 },
    seeTarget: (target) => ({
      ...target,
      logs: {
        ...target.logs,
        async describeExportTasks(query, options) {
          const page = await target.logs.describeExportTasks(query, options);
          const exportTasks = page.exportTasks.map(({ executionInfo, ...task }) => ({
            ...task,
            executionInfo: {
              ...executionInfo,
              creationTime: toSecond(executionInfo?.creationTime),
              completionTime: toSecond(executionInfo?.completionTime),
            },
          }));
          return { ...page, exportTasks };
        },
      },
    }),
  });
  await queue.put({ slices: 60 });
  const beganAt = queue.time.now();

  await queue.runUntilDone();

  const lostSeconds = (queue.time.now() - beganAt) / 60_000 - 2.3;
  expect(lostSeconds).toBeLessThanOrEqual(0.25);
});
