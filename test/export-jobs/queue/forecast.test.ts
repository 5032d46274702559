import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { type CallerQueue, type ExpectedStart, forecast } from '#export-jobs/queue/forecast.ts';
import { compareQueues, isPriorityIgnored } from '#export-jobs/queue/serving-order.ts';

interface Case {
  queues: CallerQueue[];
  startsSoFar: number;
  /** The index of the queue whose starts are forecast. */
  own: number;
  ranks: number[];
  freeAt: number;
  paceMs: number;
}

/** Serves the queues slice by slice. The forecast must return the same without these steps. */
function simulate({ queues, startsSoFar, own, ranks, freeAt, paceMs }: Case): ExpectedStart[] {
  const state = queues.map((queue) => ({
    ...queue,
    // The oldest first, as in the queue.
    readyAts: [
      ...Array.from({ length: queue.ready }, () => freeAt),
      ...queue.arrivals.flatMap(({ at, slices }) => Array.from({ length: slices }, () => at)),
    ],
  }));
  const starts: ExpectedStart[] = [];
  let start = startsSoFar;
  let startedOfOwn = 0;
  let at = freeAt;
  for (let position = 1; ; position += 1) {
    const waiting = state.filter(({ readyAts }) => readyAts.length > 0);
    if (waiting.length === 0) return starts;
    const earliest = Math.min(...waiting.map(({ readyAts }) => readyAts[0] as number));
    at = Math.max(at, earliest);
    start += 1;
    const ready = waiting.filter(({ readyAts }) => (readyAts[0] as number) <= at);
    const [next] = ready.toSorted(compareQueues(ready, { at, start }));
    if (!next) throw new Error('No queue is ready.');
    next.readyAts.shift();
    next.lastServed = start;
    for (const queue of isPriorityIgnored(ready, start) ? state : [])
      if (queue.caller === next.caller) queue.lastTenth = start;
    if (next === state[own]) {
      startedOfOwn += 1;
      if (ranks.includes(startedOfOwn)) starts.push({ position, at });
    }
    at += paceMs;
  }
}

const minuteMs = 60_000;
const callers = ['ana', 'ben', 'cem', 'dee'];
const queue = fc.record({
  priority: fc.integer({ min: 0, max: 2 }),
  caller: fc.constantFrom(...callers),
  lastServed: fc.integer({ min: 0, max: 20 }),
  lastTenth: fc.constantFrom(0, 10, 20),
  asideUntil: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40 * minuteMs })),
  ready: fc.integer({ min: 0, max: 12 }),
  arrivals: fc
    .uniqueArray(
      fc.record({
        at: fc.integer({ min: 1, max: 40 }).map((minutes) => minutes * minuteMs),
        slices: fc.integer({ min: 1, max: 5 }),
      }),
      { maxLength: 5, selector: ({ at }) => at },
    )
    .map((arrivals) => arrivals.sort((one, other) => one.at - other.at)),
});
const total = ({ ready, arrivals }: CallerQueue) =>
  arrivals.reduce((sum, { slices }) => sum + slices, ready);
const cases: fc.Arbitrary<Case> = fc
  .tuple(
    fc.uniqueArray(queue, {
      minLength: 1,
      maxLength: 8,
      selector: ({ priority, caller }) => `${priority} ${caller}`,
    }),
    fc.integer({ min: 20, max: 40 }),
    fc.nat(),
    fc.tuple(fc.nat(), fc.nat()),
    fc.integer({ min: 0, max: 20 * minuteMs }),
    fc.constantFrom(0, 1_000, 45_000, minuteMs, 100_000, 10 * minuteMs),
  )
  .map(([queues, startsSoFar, which, numbers, freeAt, paceMs]) => {
    const own = which % queues.length;
    const slices = total(queues[own] as CallerQueue);
    const ranks = numbers.map((number) => 1 + (number % Math.max(1, slices)));
    return {
      queues,
      startsSoFar,
      own,
      ranks: [...new Set(ranks)].sort((a, b) => a - b),
      freeAt,
      paceMs,
    };
  });

const ask = ({ queues, own, ...rest }: Case) => {
  const { priority, caller } = queues[own] as CallerQueue;
  return forecast({ queues, priority, caller, ...rest });
};

const here = { lastTenth: 0, asideUntil: 0, arrivals: [] };

describe('the forecast of starts', () => {
  test('equals a simulation slice by slice', () => {
    fc.assert(
      fc.property(cases, (each) => {
        expect(ask(each)).toEqual(simulate(each));
      }),
      { numRuns: 3_000 },
    );
  });

  test('serves higher priorities first, and callers of one priority in turn', () => {
    const queues = [
      { priority: 0, caller: 'ana', lastServed: 2, ready: 1_000, ...here },
      { priority: 0, caller: 'ben', lastServed: 1, ready: 1, ...here },
      { priority: 5, caller: 'cem', lastServed: 3, ready: 6, ...here },
    ];
    const common = { queues, startsSoFar: 3, freeAt: 0, paceMs: minuteMs };

    const ben = forecast({ ...common, priority: 0, caller: 'ben', ranks: [1] });
    const ana = forecast({ ...common, priority: 0, caller: 'ana', ranks: [1, 1_000] });

    expect(ben).toEqual([{ position: 7, at: 6 * minuteMs }]);
    expect(ana.map(({ position }) => position)).toEqual([8, 1_007]);
  });

  test('gives every tenth start to the queue that was served longest ago, at any priority', () => {
    const queues = [
      { priority: -5, caller: 'ana', lastServed: 1, ready: 3, ...here },
      { priority: 5, caller: 'ben', lastServed: 9, ready: 1_000, ...here },
    ];
    const asked = { priority: -5, caller: 'ana', ranks: [1, 2, 3] };

    const starts = forecast({ queues, startsSoFar: 14, ...asked, freeAt: 0, paceMs: minuteMs });

    expect(starts.map(({ position }) => position)).toEqual([6, 16, 26]);
  });

  test('gives a caller with two low priorities as many tenth starts as one with a single one', () => {
    const queues = [
      { priority: -5, caller: 'ana', lastServed: 1, ready: 3, ...here },
      ...[5, 4, 3].map((priority) => ({
        priority,
        caller: 'ben',
        lastServed: 0,
        ready: 1_000,
        ...here,
      })),
    ];
    const asked = { priority: -5, caller: 'ana', ranks: [1, 2, 3] };

    const starts = forecast({ queues, startsSoFar: 14, ...asked, freeAt: 0, paceMs: minuteMs });

    expect(starts.map(({ position }) => position)).toEqual([16, 36, 56]);
  });

  test('puts a caller that has stepped aside behind all others until that time is over', () => {
    const queues = [
      {
        priority: 5,
        caller: 'ana',
        lastServed: 1,
        lastTenth: 0,
        ready: 2,
        asideUntil: 3 * minuteMs,
        arrivals: [],
      },
      { priority: 0, caller: 'ben', lastServed: 2, ready: 5, ...here },
    ];
    const asked = { priority: 5, caller: 'ana', ranks: [1, 2] };

    const starts = forecast({ queues, startsSoFar: 2, ...asked, freeAt: 0, paceMs: minuteMs });

    expect(starts.map(({ position }) => position)).toEqual([4, 5]);
  });

  test('handles a million slices in as few steps as ten', () => {
    const queues = [
      { priority: 0, caller: 'ana', lastServed: 2, ready: 999_999, ...here },
      { priority: 0, caller: 'ben', lastServed: 1, ready: 1_000_000, ...here },
    ];

    const [last] = forecast({
      queues,
      startsSoFar: 2,
      priority: 0,
      caller: 'ben',
      ranks: [1_000_000],
      freeAt: 0,
      paceMs: 1,
    });

    expect(last).toEqual({ position: 1_999_999, at: 1_999_998 });
  });

  /** Ranks that count how often they are read: at least once in each step. */
  function countReads(ranks: number[]) {
    let reads = 0;
    const counted = new Proxy(ranks, {
      get(target, key, receiver) {
        if (key === '0') reads += 1;
        return Reflect.get(target, key, receiver);
      },
    });
    return { counted, reads: () => reads };
  }

  test.each([
    ['while the others have slices', 50_000, 500_000],
    ['when only they are left', 1_000_000, 2_000_000],
  ])(
    'estimates far starts of a lower priority after a limited number of steps, %s',
    (_, rank, position) => {
      const queues = [
        { priority: 1, caller: 'ana', lastServed: 2, ready: 1_000_000, ...here },
        { priority: 0, caller: 'ben', lastServed: 1, ready: 1_000_000, ...here },
      ];
      const { counted, reads } = countReads([rank]);
      const asked = { priority: 0, caller: 'ben', ranks: counted };

      const [start] = forecast({ queues, startsSoFar: 0, ...asked, freeAt: 0, paceMs: 1 });

      expect(start).toEqual({ position, at: position - 1 });
      expect(reads()).toBeLessThan(10_000);
    },
  );

  test('takes fewer steps with many queues, also for one that has not started yet', () => {
    const others = Array.from({ length: 1_000 }, (_, index) => ({
      priority: 0,
      caller: `caller-${index}`,
      lastServed: index,
      ready: 100,
      ...here,
    }));
    const own = { priority: -1, caller: 'ben', lastServed: 1_000, ready: 10, ...here };
    const { counted, reads } = countReads([1, 10, 11]);
    const asked = { priority: -1, caller: 'ben', ranks: counted };
    const queues = [...others, own];

    const starts = forecast({ queues, startsSoFar: 0, ...asked, freeAt: 0, paceMs: 0 });

    expect(starts.map(({ position }) => position)).toEqual([100_001, 100_010]);
    expect(reads()).toBeLessThan(500);
  });

  test('is empty for a caller without a queue', () => {
    const start = { startsSoFar: 0, freeAt: 0, paceMs: 1, ranks: [1], priority: 0, caller: 'ana' };

    expect(forecast({ ...start, queues: [] })).toEqual([]);
  });
});
