import type { SliceArrival } from '#targets/preflight/checks/slot-checks.ts';
import {
  compareQueues,
  isAside,
  isPriorityIgnored,
  priorityIgnoredEvery,
  type QueueStanding,
} from './serving-order.ts';

/** One caller's queue at a priority. Instants are epoch ms. */
export interface CallerQueue extends QueueStanding {
  /** Slices that may start at once. */
  ready: number;
  /** Slices that may start later. */
  arrivals: readonly SliceArrival[];
}

/** The expected start of a slice. */
export interface ExpectedStart {
  /** 1 for the next slice that starts at the target. */
  position: number;
  at: number;
}

/** What a forecast is computed from. */
export interface ForecastOptions {
  queues: readonly CallerQueue[];
  /** Starts at the target so far. */
  startsSoFar: number;
  /** The queue whose slices are looked for. */
  priority: number;
  caller: string;
  /** Which of its slices: the number of each in its own queue, from 1 on, ascending. */
  ranks: readonly number[];
  /** When the slot is free next. */
  freeAt: number;
  /** From one start to the next. 0 when unknown: then later arrivals do not overtake. */
  paceMs: number;
}

// Each step looks at all queues. With several priorities there are two for every ten starts. Lower: starts that are not
// far away are estimated. Higher: a forecast keeps other requests waiting.
const maxLooks = 50_000;
const maxSteps = 5_000;

/**
 * Forecasts the starts of slices by `compareQueues`. It counts slices instead of visiting each of
 * them, in steps from one change of the order to the next. So a million slices of one priority take
 * no more steps than ten. After many steps, it estimates further starts by those so far.
 */
export function forecast(options: ForecastOptions): ExpectedStart[] {
  const { priority, caller, ranks, paceMs } = options;
  const isOwn = (queue: CallerQueue) => queue.priority === priority && queue.caller === caller;
  const queues = options.queues
    .filter((queue) => queue.ready > 0 || queue.arrivals.length > 0)
    .map((queue) => ({ ...queue }));
  const arrivals = queues
    .flatMap((queue) => queue.arrivals.map((arrival) => ({ ...arrival, queue })))
    .sort((one, other) => other.at - one.at); // the earliest is the last
  const expected: ExpectedStart[] = [];
  let at = options.freeAt;
  let started = 0;
  let startedOfOwn = 0;
  let stepsLeft = Math.min(maxSteps, maxLooks / queues.length);

  for (;;) {
    stepsLeft -= 1;
    if (stepsLeft < 0) {
      const left = [
        ...queues.map((queue) => ({ isOwn: isOwn(queue), slices: queue.ready })),
        ...arrivals.map(({ queue, slices }) => ({ isOwn: isOwn(queue), slices })),
      ];
      const further = ranks.slice(expected.length).map((rank) => rank - startedOfOwn);
      const shareOfOwn = started > 0 ? startedOfOwn / started : 0;
      for (const start of estimateStarts(left, shareOfOwn, further))
        expected.push({ position: started + start, at: at + (start - 1) * paceMs });
      return expected;
    }
    for (let next = arrivals.at(-1); next && next.at <= at; next = arrivals.at(-1)) {
      next.queue.ready += next.slices;
      arrivals.pop();
    }
    const arrivesAt = arrivals.at(-1)?.at ?? Number.POSITIVE_INFINITY;
    const { round, maxStarts, isIgnored } = roundOf(queues, at, options.startsSoFar + started);
    if (round.length === 0) {
      if (arrivesAt === Number.POSITIVE_INFINITY) return expected;
      at = arrivesAt;
      continue;
    }
    // At most so many starts before another queue can go first.
    const changesAt = Math.min(arrivesAt, ...queues.map((queue) => returnsAt(queue, at)));
    const startable = paceMs > 0 ? Math.ceil((changesAt - at) / paceMs) : Number.POSITIVE_INFINITY;
    const served = share(round, Math.min(startable, maxStarts));
    const own = round.findIndex(isOwn);
    for (let rank = ranks[expected.length]; rank !== undefined; rank = ranks[expected.length]) {
      const nth = rank - startedOfOwn;
      if (nth > (served[own] ?? 0)) break;
      const index = indexOfStart(round, own, nth);
      expected.push({ position: started + index, at: at + (index - 1) * paceMs });
    }
    if (expected.length === ranks.length) return expected;

    const lastStarts = lastStartsOf(round, served);
    const startsBefore = options.startsSoFar + started;
    for (const [index, queue] of round.entries()) {
      const starts = served[index] ?? 0;
      if (starts > 0) queue.lastServed = startsBefore + (lastStarts[index] ?? 0);
      queue.ready -= starts;
    }
    if (isIgnored) {
      for (const queue of queues)
        if (queue.caller === round[0]?.caller) queue.lastTenth = startsBefore + 1;
    }
    const all = served.reduce((sum, starts) => sum + starts, 0);
    started += all;
    startedOfOwn += served[own] ?? 0;
    at += all * paceMs;
  }
}

/** When a queue that has stepped aside counts like any other again. */
function returnsAt(queue: CallerQueue, at: number): number {
  return queue.ready > 0 && isAside(queue, at) ? queue.asideUntil : Number.POSITIVE_INFINITY;
}

/** The queues that take turns now, the next one first, and for how many starts at most. */
function roundOf<Each extends CallerQueue>(
  queues: readonly Each[],
  at: number,
  startsSoFar: number,
) {
  const start = startsSoFar + 1;
  const ready = queues.filter((queue) => queue.ready > 0);
  if (ready.length === 0) return { round: [], maxStarts: 0 };
  const compare = compareQueues(ready, { at, start });
  const first = ready.reduce((best, queue) => (compare(queue, best) < 0 ? queue : best));
  if (isPriorityIgnored(ready, start)) return { round: [first], maxStarts: 1, isIgnored: true };
  const ofPriority = ready.filter(({ priority }) => priority === first.priority);
  const round = ofPriority.filter((queue) => isAside(queue, at) === isAside(first, at));
  round.sort(compare); // only these: thousands of queues would take long to sort at each step
  if (ofPriority.length === ready.length) return { round, maxStarts: Number.POSITIVE_INFINITY };
  return { round, maxStarts: priorityIgnoredEvery - (start % priorityIgnoredEvery) };
}

/** How many slices each queue of a round starts when at most `maxStarts` do. */
function share(round: readonly CallerQueue[], maxStarts: number): number[] {
  const startsIn = (rounds: number) =>
    round.reduce((sum, { ready }) => sum + Math.min(ready, rounds), 0);
  let [whole, tooMany] = [0, Math.max(...round.map(({ ready }) => ready)) + 1];
  while (tooMany - whole > 1) {
    const rounds = Math.floor((whole + tooMany) / 2);
    if (startsIn(rounds) <= maxStarts) whole = rounds;
    else tooMany = rounds;
  }
  let rest = maxStarts - startsIn(whole);
  return round.map(({ ready }) => {
    if (ready <= whole || rest <= 0) return Math.min(ready, whole);
    rest -= 1;
    return whole + 1;
  });
}

/** Which start of the round, from 1 on, is the `nth` of a queue; 0 for none. */
function indexOfStart(round: readonly CallerQueue[], own: number, nth: number): number {
  if (nth === 0) return 0;
  return round.reduce((sum, { ready }, index) => {
    const isServedBefore = index <= own && ready >= nth;
    return sum + Math.min(ready, nth - 1) + (isServedBefore ? 1 : 0);
  }, 0);
}

/** Which start of the round, from 1 on, is the last of each queue; 0 for none. */
function lastStartsOf(round: readonly CallerQueue[], served: readonly number[]): number[] {
  const lastStarts = round.map(() => 0);
  for (const nth of new Set(served)) {
    if (nth === 0) continue;
    let start = round.reduce((sum, { ready }) => sum + Math.min(ready, nth - 1), 0);
    for (const [index, { ready }] of round.entries()) {
      if (ready >= nth) start += 1;
      if (served[index] === nth) lastStarts[index] = start;
    }
  }
  return lastStarts;
}

/** Estimates which further starts, from 1 on, are those of an own queue that keeps its share of all starts. */
function estimateStarts(
  left: readonly { isOwn: boolean; slices: number }[],
  shareOfOwn: number,
  ranks: readonly number[],
): number[] {
  const { own = [], others = [] } = Object.groupBy(left, ({ isOwn }) => (isOwn ? 'own' : 'others'));
  const sum = (parts: typeof own) => parts.reduce((all, { slices }) => all + slices, 0);
  const [ofOwn, ofOthers] = [sum(own), sum(others)];
  return ranks
    .filter((rank) => rank <= ofOwn)
    .map((rank) => Math.min(rank + ofOthers, Math.max(rank, Math.round(rank / shareOfOwn))));
}
