import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeCallSpacing } from '#export-jobs/dispatcher/pacing/call-spacing.ts';
import { nextPollAt } from '#export-jobs/dispatcher/pacing/poll-time.ts';
import { makeTaskDurations } from '#export-jobs/dispatcher/pacing/task-durations.ts';
import { openQueue } from '../open-queue.ts';

const seed = Math.floor(Math.random() * 2 ** 31);

const five = (durationMs: number) => Array<number>(5).fill(durationMs);

describe('the polls of a running task', () => {
  test.each([
    // Too few durations: every second for a minute, then slower and slower, at most 10 s apart.
    { polledAt: 0, durations: [], at: 1_050 },
    { polledAt: 5_000, durations: [2_000, 9_000, 2_000, 2_000], at: 6_050 },
    { polledAt: 120_000, durations: [], at: 122_000 },
    { polledAt: 6_000_000, durations: [], at: 6_010_000 },
    // Short tasks: the first poll sees the end.
    { polledAt: 0, durations: five(2_000), at: 2_050 },
    { polledAt: 2_050, durations: five(2_000), at: 3_050 },
    { polledAt: 0, durations: [2_000, 2_010, 1_990, 2_000, 2_000], at: 2_060 },
    // A late poll does not skip the next second.
    { polledAt: 2_060, durations: five(2_000), at: 3_060 },
    // Nor does a poll that is allowed only a little before the instant.
    { polledAt: 0, freeAt: 2_000, durations: five(2_300), at: 2_350 },
    // Tasks of very different length: a little after the longest, and whole seconds before that.
    { polledAt: 0, durations: [1_600, 3_600, 2_500, 2_100, 3_000], at: 1_950 },
    { polledAt: 1_950, durations: [1_600, 3_600, 2_500, 2_100, 3_000], at: 2_950 },
    // Long tasks: tight at first, because failures come early; then slow; then tight again.
    { polledAt: 0, durations: five(60_000), at: 1_000 },
    { polledAt: 2_500, durations: five(60_000), at: 3_500 },
    { polledAt: 3_500, durations: five(60_000), at: 18_500 },
    { polledAt: 48_500, durations: five(60_000), at: 54_050 },
    { polledAt: 59_050, durations: five(60_000), at: 60_050 },
    // Far beyond the expected end: slower again.
    { polledAt: 200_000, durations: five(60_000), at: 202_333 },
  ])(
    'at $at after $polledAt, of tasks that took $durations',
    ({ polledAt, freeAt, durations, at }) => {
      expect(Math.round(nextPollAt(polledAt, freeAt ?? 0, durations))).toBe(at);
    },
  );

  test(`are at least a second and, before the end, at most 15 s apart (seed ${seed})`, () => {
    const durations = fc.array(fc.integer({ min: 0, max: 86_400_000 }), { maxLength: 9 });
    const property = fc.property(fc.nat(90_000_000), durations, (polledAt, known) => {
      const gap = nextPollAt(polledAt, polledAt, known) - polledAt;
      return gap >= 1_000 && gap <= 16_500;
    });
    fc.assert(property, { seed, numRuns: 5_000 });
  });
});

describe('the call spacing', () => {
  test(`allows one call per second on average, two at once, and reads a second apart (seed ${seed})`, () => {
    const steps = fc.array(fc.record({ restMs: fc.nat(3_000), isCreate: fc.boolean() }), {
      maxLength: 200,
    });
    const property = fc.property(steps, (taken) => {
      let now = 0;
      const gate = makeCallSpacing({ elapsed: () => now, intervalMs: 1_000 });
      const calls: number[] = [];
      const reads: number[] = [];
      for (const { restMs, isCreate } of taken) {
        now += restMs;
        now += gate.freeInMs(); // every create follows a read, as in the dispatcher
        gate.count();
        calls.push(now);
        reads.push(now);
        if (isCreate) {
          gate.count();
          calls.push(now);
        }
      }
      const areReadsApart = reads.every(
        (at, index) => index === 0 || at - (reads[index - 1] ?? 0) >= 1_000,
      );
      const isOnAverage = calls.every((at, index) => index - 2 <= at / 1_000);
      return areReadsApart && isOnAverage;
    });
    fc.assert(property, { seed, numRuns: 500 });
  });
});

describe('the remembered durations', () => {
  test('are the newest 25 of the log group, or of all for a new one', () => {
    const durations = makeTaskDurations([
      { logGroupName: '/b', durationMs: 3 },
      { logGroupName: '/a', durationMs: 2 },
      { logGroupName: '/a', durationMs: 1 },
    ]);
    for (let durationMs = 10; durationMs < 40; durationMs++) durations.add('/b', durationMs);
    const newest = Array.from({ length: 25 }, (_, age) => 39 - age);

    expect(durations.of('/a')).toEqual([2, 1]);
    expect(durations.of('/b')).toEqual(newest);
    expect(durations.of('/new')).toEqual(newest);
    expect(makeTaskDurations([]).of('/new')).toEqual([]);
  });

  test('are kept for a thousand log groups, without the oldest', () => {
    const durations = makeTaskDurations([]);
    for (let index = 0; index <= 1_000; index++) durations.add(`/${index}`, index);

    expect(durations.of('/1')).toEqual([1]);
    expect(durations.of('/0')).toEqual(durations.of('/new'));
  });
});

describe('a queue of many tasks', () => {
  test.each([
    { what: 'of two seconds', slices: 60, runningMs: 1_500, overhead: 1.3 },
    {
      what: `of 1.5 to 4 seconds (seed ${seed})`,
      slices: 60,
      runningMs: [1_000, 3_500] as const,
      overhead: 1.4,
    },
    { what: 'of a minute', slices: 10, runningMs: 59_500, overhead: 1.02 },
  ])(
    '$what takes at most $overhead times their run time, at one call per second',
    async ({ what, slices, runningMs, overhead }) => {
      await using queue = await openQueue({ emulator: { runningMs, randomSeed: seed } });
      await queue.put({ slices });
      const beganAt = queue.time.now();

      await queue.runUntilDone();

      const tookMs = queue.time.now() - beganAt;
      const busyMs = queue.emulator
        .exportTasks()
        .reduce((sum, { createdAt, finishedAt = 0 }) => sum + finishedAt - createdAt, 0);
      const ratio = tookMs / busyMs;
      const callsASecond = (queue.emulator.journal.entries().length / tookMs) * 1_000;
      process.stdout.write(
        `${slices} tasks ${what}: ${ratio.toFixed(3)} times as long, ${callsASecond.toFixed(2)} calls a second\n`,
      );
      expect(ratio).toBeLessThanOrEqual(overhead);
      expect(callsASecond).toBeLessThanOrEqual(1.02);
    },
  );
});
