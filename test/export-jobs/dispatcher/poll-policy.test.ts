import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makePollPolicy, unknownTask } from '#export-jobs/dispatcher/pacing/poll-policy.ts';
import { type SimulatedTasks, simulatePolls } from './simulate-polls.ts';

const randomSeed = Math.floor(Math.random() * 2 ** 31);

/** The polls of a task that never ends, up to an age. */
function pollsUntil(age: number, durations: readonly number[]): number[] {
  const policy = makePollPolicy(durations);
  const polls: number[] = [];
  for (let polledAt = 0; ; polls.push(polledAt)) {
    const notBefore = polledAt === 0 ? 0 : polledAt + 0.25;
    polledAt = policy.nextPollAt({ polledAt, notBefore, savedShare: 0.5 });
    if (polledAt > age) return polls;
  }
}

/** The longest time between the end of a task within these ages and the poll that sees it. */
function longestWait(from: number, to: number, durations: readonly number[]): number {
  const polls = pollsUntil(to + 15, durations);
  return Math.max(
    ...polls.map((at, index) => {
      const before = Math.max(from, polls[index - 1] ?? 0);
      return before < to ? at - before : 0;
    }),
  );
}

const alike = (count: number, duration: number) => Array<number>(count).fill(duration);
const spreadOut = (count: number, from: number, to: number) =>
  Array.from({ length: count }, (_, index) => from + ((to - from) * (index + 0.5)) / count);

describe('the next poll', () => {
  const state = { polledAt: 0, notBefore: 0, savedShare: 0.5 };
  test.each([
    // Tasks that take the same time: the first poll sees the end. After that, the surprise is near.
    { durations: alike(25, 2), at: 2 },
    { durations: alike(25, 2), polledAt: 2.02, notBefore: 2.27, at: 2.27 },
    // With few known ones, the next may differ.
    { durations: alike(3, 2), at: 1.06 },
    { durations: [2, 2.01, 1.99, 2, 2], at: 1.13 },
    { durations: [2.01, 1.99, ...alike(23, 2)], at: 2.01 },
    // A poll that is late does not wait for a better time.
    { durations: alike(25, 2), notBefore: 2.1, at: 2.1 },
    // Different tasks: the more calls are saved, the sooner.
    { durations: spreadOut(50, 1.5, 4), at: 1.76 },
    { durations: spreadOut(50, 1.5, 4), savedShare: 1, at: 1.63 },
    { durations: spreadOut(50, 1.5, 4), savedShare: 0, at: 2.16 },
    { durations: spreadOut(50, 1.5, 4), polledAt: 1.94, notBefore: 2.19, at: 2.27 },
    // Two kinds of tasks: nothing is expected in between.
    { durations: [...alike(25, 2), ...spreadOut(25, 45, 75)], at: 2 },
    {
      durations: [...alike(25, 2), ...spreadOut(25, 45, 75)],
      polledAt: 12,
      notBefore: 12,
      at: 12.7,
    },
    {
      durations: [...alike(25, 2), ...spreadOut(25, 45, 75)],
      polledAt: 60,
      notBefore: 60,
      at: 60.3,
    },
    // Longer than all known ones: slower and slower.
    { durations: alike(25, 60), polledAt: 130, notBefore: 130, at: 131 },
    { durations: alike(25, 60), polledAt: 40_000, notBefore: 40_000, at: 40_015 },
    // A day is over.
    { durations: alike(25, 60), polledAt: 90_000, notBefore: 90_000, at: 90_015 },
  ])('is at $at s after $polledAt of tasks that took $durations', ({ durations, at, ...rest }) => {
    const nextAt = makePollPolicy(durations).nextPollAt({ ...state, ...rest });

    expect(Number(nextAt.toPrecision(3))).toBe(Number(at.toPrecision(3)));
  });

  test('is not earlier than allowed by a rounding error', () => {
    const notBefore = 0.4391984505111976;

    const at = makePollPolicy([0, 0]).nextPollAt({ polledAt: 0, notBefore, savedShare: 0 });

    expect(at).toBeGreaterThanOrEqual(notBefore);
  });

  test(`is when it is allowed or later, and within 3 s and a tenth of the age (seed ${randomSeed})`, () => {
    const durations = fc.array(fc.double({ min: 0, max: 86_400, noNaN: true }), { maxLength: 100 });
    const age = fc.double({ min: 0, max: 100_000, noNaN: true });
    const property = fc.property(
      durations,
      age,
      fc.double({ min: 0, max: 20, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (known, polledAt, pause, savedShare) => {
        const notBefore = polledAt + pause;
        const at = makePollPolicy(known).nextPollAt({ polledAt, notBefore, savedShare });
        return at >= notBefore && at <= Math.max(notBefore, polledAt + 3 + polledAt / 10);
      },
    );
    fc.assert(property, { seed: randomSeed, numRuns: 2_000 });
  });
});

describe('a surprise', () => {
  test.each([
    { what: 'a failure within seconds', from: 0.5, to: 10, known: alike(100, 60), within: 2.5 },
    { what: 'a failure of a long task', from: 0.5, to: 10, known: alike(100, 1_500), within: 2.5 },
    { what: 'a task of half the time', from: 20, to: 59, known: alike(100, 60), within: 9 },
    { what: 'a task of twice the time', from: 60, to: 119, known: alike(100, 60), within: 5 },
    { what: 'a first task of seconds', from: 0.7, to: 9, known: [], within: 0.6 },
    { what: 'a first task of a minute', from: 9, to: 90, known: [], within: 2.5 },
    { what: 'a first task of minutes', from: 90, to: 1_200, known: [], within: 8 },
    {
      what: 'a task of hours after 50 of a minute',
      from: 200,
      to: 9_000,
      known: spreadOut(50, 50, 70),
      within: 15,
    },
  ])('is noticed within $within s: $what', ({ from, to, known, within }) => {
    expect(longestWait(from, to, known)).toBeLessThanOrEqual(within);
  });
});

const between = (from: number, to: number) => (random: () => number) =>
  from + (to - from) * random();
const normal = (random: () => number) =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const distributions: Record<string, SimulatedTasks> = {
  '2 s': { count: 600, seconds: () => 2 },
  '2 s ± 5 %': { count: 600, seconds: between(1.9, 2.1) },
  '1.5 to 4 s': { count: 1_000, seconds: between(1.5, 4) },
  '20 s': { count: 200, seconds: () => 20 },
  '30 to 90 s': { count: 600, seconds: between(30, 90) },
  'around 60 s, some 180 s': {
    count: 1_500,
    seconds: (random) => 60 * Math.exp(0.5 * normal(random)),
  },
  '2 s or 45 to 75 s': {
    count: 800,
    seconds: (random) => (random() < 0.5 ? 2 : between(45, 75)(random)),
  },
  '10 to 40 min': { count: 80, seconds: between(600, 2_400) },
  '0.3 s': { count: 3_000, seconds: () => 0.3 },
};

describe('a queue of tasks', () => {
  // 20 ms for a call and back: an end is never known sooner than 0.03 s later. Where ends are spread
  // evenly over many seconds, the waits follow from the number of calls.
  test.each([
    { tasks: '2 s', mean: 0.06, p99: 0.15, describes: 0.55 },
    { tasks: '2 s ± 5 %', mean: 0.16, p99: 0.35, describes: 0.75 },
    { tasks: '1.5 to 4 s', mean: 0.21, p99: 0.7 },
    { tasks: '20 s', mean: 0.06, p99: 0.15, describes: 0.8 },
    { tasks: '30 to 90 s', mean: 0.25, p99: 1 },
    // Less than 0.25 s is not possible at 1.5 describes a second, even if the distribution is known.
    { tasks: 'around 60 s, some 180 s', mean: 0.35, p99: 1 },
    { tasks: '2 s or 45 to 75 s', mean: 0.16, p99: 1 },
    { tasks: '10 to 40 min', mean: 1, p99: 8, describes: 0.7 },
    // Two calls a second are a task a second.
    { tasks: '0.3 s', mean: 0.8, p99: 0.9 },
  ])('of $tasks loses at most $mean s each', ({ tasks, mean, p99, describes = 1.52 }) => {
    const measured = simulatePolls(distributions[tasks] as SimulatedTasks, 1);

    const text = Object.values(measured)
      .map((value) => value.toFixed(3))
      .join(' ');
    process.stdout.write(`${tasks}: ${text}\n`);
    expect(measured.mean).toBeLessThanOrEqual(mean);
    expect(measured.p99).toBeLessThanOrEqual(p99);
    expect(measured.describesPerSecond).toBeLessThanOrEqual(describes);
    expect(measured.callsPerSecond).toBeLessThanOrEqual(2.05);
    expect(measured.mostDescribesInASecond).toBeLessThanOrEqual(4);
  });

  test.each([
    { what: 'if calls take 0.1 s', callMs: 100, mean: 0.31 },
    { what: 'if AWS rounds its times to seconds', precisionMs: 1_000, mean: 0.32 },
  ])('of 1.5 to 4 s loses at most $mean s each $what', ({ mean, ...aws }) => {
    const tasks = { count: 1_000, seconds: between(1.5, 4), ...aws };

    expect(simulatePolls(tasks, 1).mean).toBeLessThanOrEqual(mean);
  });

  test.each([
    { busySlots: 200, rateShare: 0.48, describes: 0.75, mean: 0.5 },
    { busySlots: 400, rateShare: 0.24, describes: 0.38, mean: 1.1 },
  ])(
    'of 30 to 90 s beside $busySlots busy slots makes at most $describes describes a second',
    (many) => {
      const tasks = {
        ...(distributions['30 to 90 s'] as SimulatedTasks),
        rateShare: many.rateShare,
      };

      const measured = simulatePolls(tasks, 1);
      expect(measured.describesPerSecond).toBeLessThanOrEqual(many.describes);
      expect(measured.mean).toBeLessThanOrEqual(many.mean);
    },
  );

  test('of log groups that differ loses little, even if each has few tasks', () => {
    const factors = spreadOut(100, 0, 1).map((at) => 2 * Math.exp(3.4 * at)); // 2 to 60 s
    const logGroupName = (index: number) => `/${(37 * index) % 100}`;
    const seconds = (random: () => number, index: number) =>
      (factors[(37 * index) % 100] as number) * between(0.9, 1.1)(random);

    const measured = simulatePolls({ count: 400, seconds, logGroupName }, 1);

    expect(measured.mean).toBeLessThanOrEqual(0.35);
    expect(measured.p99).toBeLessThanOrEqual(2);
  });
});

test('an unknown task has the policy without durations', () => {
  const state = { polledAt: 3, notBefore: 3.25, savedShare: 0.5 };
  expect(unknownTask.nextPollAt(state)).toBe(makePollPolicy([]).nextPollAt(state));
});
