import { priorityIgnoredEvery } from './fair-share.ts';

/** One caller's queue at a priority. Instants are epoch ms. */
export interface Queue {
  priority: number;
  caller: string;
  /** The number of its latest turn; 0 before the first. */
  lastTurn: number;
  /** Until then its slices start only when no others are ready. */
  asideUntil: number;
  /** Slices that may start at once. */
  ready: number;
  /** Slices that may start later, in the order of time. */
  arrivals: readonly { at: number; slices: number }[];
}

/** When a slice is to start. */
export interface Start {
  /** 1 for the next slice to start at the target. */
  position: number;
  at: number;
}

/** What a forecast goes by. */
export interface ForecastOptions {
  queues: readonly Queue[];
  /** Starts so far at the target. */
  turns: number;
  /** Whose slices are asked for, … */
  priority: number;
  caller: string;
  /** … and which: the number each has in its own queue, from 1 on, ascending. */
  ranks: readonly number[];
  /** When the slot is free next. */
  freeAt: number;
  /** From one start to the next; 0 when that is not known: then positions go by what is ready. */
  paceMs: number;
}

/**
 * Foretells starts by the order the slot is given in: who has not stepped aside first, then higher
 * priorities, but for every tenth start; callers of one priority in turn, whoever had none for longest
 * first; what is not ready yet comes when it is. Goes by counts, in steps from one change of that
 * order to the next, so a million slices of one priority take no longer than ten.
 */
export function forecast(options: ForecastOptions): Start[] {
  const { priority, caller, ranks, paceMs } = options;
  const queues = options.queues.map((queue) => ({ ...queue }));
  const arrivals = queues
    .flatMap((queue) => queue.arrivals.map((arrival) => ({ ...arrival, queue })))
    .sort((one, other) => other.at - one.at); // the next one is the last
  const starts: Start[] = [];
  let at = options.freeAt;
  let started = 0;
  let startedOfMine = 0;

  for (;;) {
    for (let next = arrivals.at(-1); next && next.at <= at; next = arrivals.at(-1)) {
      next.queue.ready += next.slices;
      arrivals.pop();
    }
    const arrivesAt = arrivals.at(-1)?.at ?? Number.POSITIVE_INFINITY;
    const { round, most } = roundOf(queues, at, options.turns + started);
    if (round.length === 0) {
      if (arrivesAt === Number.POSITIVE_INFINITY) return starts;
      at = arrivesAt;
      continue;
    }
    // As many as start before another queue may go first.
    const nextAt = Math.min(arrivesAt, ...queues.map((queue) => returnsAt(queue, at)));
    const startable = paceMs > 0 ? Math.ceil((nextAt - at) / paceMs) : Number.POSITIVE_INFINITY;
    const taken = take(round, Math.min(startable, most));
    const mine = round.findIndex((queue) => queue.priority === priority && queue.caller === caller);
    for (let rank = ranks[starts.length]; rank !== undefined; rank = ranks[starts.length]) {
      const picks = rank - startedOfMine;
      if (picks > (taken[mine] ?? 0)) break;
      const index = indexOfPick(round, mine, picks);
      starts.push({ position: started + index, at: at + (index - 1) * paceMs });
    }
    if (starts.length === ranks.length) return starts;

    const turns = round.map((_, index) => indexOfPick(round, index, taken[index] ?? 0));
    const turnBefore = options.turns + started;
    for (const [index, queue] of round.entries()) {
      const picks = taken[index] ?? 0;
      if (picks > 0) queue.lastTurn = turnBefore + (turns[index] ?? 0);
      queue.ready -= picks;
    }
    const all = taken.reduce((sum, picks) => sum + picks, 0);
    started += all;
    startedOfMine += taken[mine] ?? 0;
    at += all * paceMs;
  }
}

/** When a queue that has stepped aside counts like any other again. */
function returnsAt({ asideUntil, ready }: Queue, at: number): number {
  return ready > 0 && asideUntil > at ? asideUntil : Number.POSITIVE_INFINITY;
}

/** The queues the slot is given to now, in the order of their turns, and for how many starts at most. */
function roundOf<Each extends Queue>(queues: readonly Each[], at: number, turns: number) {
  const ready = queues.filter((queue) => queue.ready > 0).sort(byLastServed);
  const present = ready.filter(({ asideUntil }) => asideUntil <= at);
  const eligible = present.length > 0 ? present : ready;
  const highest = Math.max(...eligible.map(({ priority }) => priority));
  const round = eligible.filter(({ priority }) => priority === highest);
  if (round.length === eligible.length) return { round, most: Number.POSITIVE_INFINITY };
  const untilOpen = priorityIgnoredEvery - 1 - (turns % priorityIgnoredEvery);
  return untilOpen > 0 ? { round, most: untilOpen } : { round: eligible.slice(0, 1), most: 1 };
}

function byLastServed(one: Queue, other: Queue): number {
  return (
    one.lastTurn - other.lastTurn ||
    other.priority - one.priority ||
    (one.caller < other.caller ? -1 : 1)
  );
}

/** How many slices each queue of a round gets to start when at most `most` do. */
function take(round: readonly Queue[], most: number): number[] {
  const inRounds = (rounds: number) =>
    round.reduce((sum, { ready }) => sum + Math.min(ready, rounds), 0);
  let [whole, tooMany] = [0, Math.max(...round.map(({ ready }) => ready)) + 1];
  while (tooMany - whole > 1) {
    const rounds = Math.floor((whole + tooMany) / 2);
    if (inRounds(rounds) <= most) whole = rounds;
    else tooMany = rounds;
  }
  let rest = most - inRounds(whole);
  return round.map(({ ready }) => {
    if (ready <= whole || rest <= 0) return Math.min(ready, whole);
    rest -= 1;
    return whole + 1;
  });
}

/** Which start of the round, from 1 on, is the `picks`th of a queue; 0 for none. */
function indexOfPick(round: readonly Queue[], mine: number, picks: number): number {
  if (picks === 0) return 0;
  return round.reduce((sum, { ready }, index) => {
    const hasTurnBefore = index <= mine && ready >= picks;
    return sum + Math.min(ready, picks - 1) + (hasTurnBefore ? 1 : 0);
  }, 0);
}
