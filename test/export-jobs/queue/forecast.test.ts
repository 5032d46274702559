import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { forecast, type Queue, type Start } from '#export-jobs/queue/forecast.ts';

interface Case {
  queues: Queue[];
  turns: number;
  mine: number;
  ranks: number[];
  freeAt: number;
  paceMs: number;
}

/** The order the slot is given in, slice by slice: what the forecast has to foretell. */
function simulate({ queues, turns, mine, ranks, freeAt, paceMs }: Case): Start[] {
  const state = queues.map((queue) => ({
    queue,
    lastTurn: queue.lastTurn,
    // The oldest first, as they stand in the queue.
    readyAts: [
      ...Array.from({ length: queue.ready }, () => freeAt),
      ...queue.arrivals.flatMap(({ at, slices }) => Array.from({ length: slices }, () => at)),
    ],
  }));
  const starts: Start[] = [];
  let turn = turns;
  let startedOfMine = 0;
  let now = freeAt;
  for (let position = 1; ; position += 1) {
    const waiting = state.filter(({ readyAts }) => readyAts.length > 0);
    if (waiting.length === 0) return starts;
    const earliest = Math.min(...waiting.map(({ readyAts }) => readyAts[0] as number));
    now = Math.max(now, earliest);
    turn += 1;
    const isAside = ({ queue }: (typeof state)[number]) => Number(queue.asideUntil > now);
    const [next] = waiting
      .filter(({ readyAts }) => (readyAts[0] as number) <= now)
      .sort(
        (one, other) =>
          isAside(one) - isAside(other) ||
          (turn % 10 === 0 ? 0 : other.queue.priority - one.queue.priority) ||
          one.lastTurn - other.lastTurn ||
          other.queue.priority - one.queue.priority ||
          (one.queue.caller < other.queue.caller ? -1 : 1),
      );
    if (!next) throw new Error('Somebody is ready.');
    next.readyAts.shift();
    next.lastTurn = turn;
    if (next === state[mine]) {
      startedOfMine += 1;
      if (ranks.includes(startedOfMine)) starts.push({ position, at: now });
    }
    now += paceMs;
  }
}

const minuteMs = 60_000;
const callers = ['ana', 'ben', 'cem', 'dee'];
const queue = fc.record({
  priority: fc.integer({ min: 0, max: 2 }),
  caller: fc.constantFrom(...callers),
  lastTurn: fc.integer({ min: 0, max: 20 }),
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
const total = ({ ready, arrivals }: Queue) =>
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
  .map(([queues, turns, which, numbers, freeAt, paceMs]) => {
    const mine = which % queues.length;
    const slices = total(queues[mine] as Queue);
    const ranks = numbers.map((number) => 1 + (number % Math.max(1, slices)));
    return {
      queues,
      turns,
      mine,
      ranks: [...new Set(ranks)].sort((a, b) => a - b),
      freeAt,
      paceMs,
    };
  });

const ask = ({ queues, mine, ...rest }: Case) => {
  const { priority, caller } = queues[mine] as Queue;
  return forecast({ queues, priority, caller, ...rest });
};

const here = { asideUntil: 0, arrivals: [] };

describe('a forecast of the queue', () => {
  test('is what giving the slot slice by slice comes to', () => {
    fc.assert(
      fc.property(cases, (each) => {
        expect(ask(each)).toEqual(simulate(each));
      }),
      { numRuns: 3_000 },
    );
  });

  test('lets callers of one priority take turns, and a higher one go first', () => {
    const queues = [
      { priority: 0, caller: 'ana', lastTurn: 2, ready: 1_000, ...here },
      { priority: 0, caller: 'ben', lastTurn: 1, ready: 1, ...here },
      { priority: 5, caller: 'cem', lastTurn: 3, ready: 6, ...here },
    ];
    const common = { queues, turns: 3, freeAt: 0, paceMs: minuteMs };

    const ben = forecast({ ...common, priority: 0, caller: 'ben', ranks: [1] });
    const ana = forecast({ ...common, priority: 0, caller: 'ana', ranks: [1, 1_000] });

    expect(ben).toEqual([{ position: 7, at: 6 * minuteMs }]);
    expect(ana.map(({ position }) => position)).toEqual([8, 1_007]);
  });

  test('gives every tenth start to whoever had no turn for longest, whatever the priority', () => {
    const queues = [
      { priority: -5, caller: 'ana', lastTurn: 1, ready: 3, ...here },
      { priority: 5, caller: 'ben', lastTurn: 9, ready: 1_000, ...here },
    ];
    const asked = { priority: -5, caller: 'ana', ranks: [1, 2, 3] };

    const starts = forecast({ queues, turns: 14, ...asked, freeAt: 0, paceMs: minuteMs });

    expect(starts.map(({ position }) => position)).toEqual([6, 16, 26]);
  });

  test('puts who has stepped aside behind all others, until that time is over', () => {
    const queues = [
      { priority: 5, caller: 'ana', lastTurn: 1, ready: 2, asideUntil: 3 * minuteMs, arrivals: [] },
      { priority: 0, caller: 'ben', lastTurn: 2, ready: 5, ...here },
    ];
    const asked = { priority: 5, caller: 'ana', ranks: [1, 2] };

    const starts = forecast({ queues, turns: 2, ...asked, freeAt: 0, paceMs: minuteMs });

    expect(starts.map(({ position }) => position)).toEqual([4, 5]);
  });

  test('takes a million slices for no more steps than ten', () => {
    const queues = [
      { priority: 0, caller: 'ana', lastTurn: 2, ready: 999_999, ...here },
      { priority: 0, caller: 'ben', lastTurn: 1, ready: 1_000_000, ...here },
    ];

    const [last] = forecast({
      queues,
      turns: 2,
      priority: 0,
      caller: 'ben',
      ranks: [1_000_000],
      freeAt: 0,
      paceMs: 1,
    });

    expect(last).toEqual({ position: 1_999_999, at: 1_999_998 });
  });

  test('of who does not stand in the queue is empty', () => {
    const start = { turns: 0, freeAt: 0, paceMs: 1, ranks: [1], priority: 0, caller: 'ana' };

    expect(forecast({ ...start, queues: [] })).toEqual([]);
  });
});
