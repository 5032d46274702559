import { type DurationForecast, forecastDuration } from './duration-forecast.ts';

/** When to poll tasks of one kind. Times are in seconds since the task began. */
export interface PollPolicy {
  /** Returns when to poll next. */
  nextPollAt(state: PollState): number;
}

/** What is known about a running task and the calls. */
interface PollState {
  /** The last poll, which saw it running; 0 before the first. */
  polledAt: number;
  /** When the next poll is allowed. */
  notBefore: number;
  /** How many calls are saved, from 0 for none to 1. */
  savedShare: number;
  /** The part of `callsPerSecond` that the slot has, above 0 and up to 1. Default: 1. */
  rateShare?: number;
}

/** How many calls a slot makes per second on average. */
export const callsPerSecond = { reads: 1.5, all: 1.95 };

// A wait after the end of a task costs its time, and more the longer it is: a wait of 0.6 s costs
// twice its time. Lower: all waits are alike, and more of them are long. Higher: rare tasks wait longer.
const doubledBy = 0.6;
// The least idle time, in seconds, that is worth a poll. Lower: tasks of many minutes are polled as often
// as short ones. Higher: they end unnoticed for seconds.
const minPrice = 0.003;
// The least price, and the first one, while no duration is known. Lower: a foreign task of many minutes is
// polled every second. Higher: first tasks of seconds end unnoticed for a second.
const unknownPrice = 0.02;
// How strongly saved calls change the price: e^2 times when none is left, and as much less when all are.
// Lower: more or fewer calls than allowed for minutes. Higher: the pace changes within a task.
const savedWeight = 2;
// The longest gap between two polls. Lower: polls where no task is known to end. Higher: a task that runs
// much shorter than all known ones is noticed late.
const maxGapAt = (age: number) => Math.min(3 + age / 10, 15);
// Up to here a task is similar to the known ones. Their share of the calls is not for longer tasks.
const similarUntil = 1.2;
// The seconds that database and calls take between two tasks.
const betweenTasks = 0.06;

/**
 * Makes the policy from the durations of similar tasks. The next poll is the one that costs the least
 * for the probability that it sees the end. Its cost is its price, in idle time of the slot, and the
 * expected wait of the tasks that end before it. The price is so high that a task has its share of
 * `callsPerSecond`.
 */
export function makePollPolicy(durations: readonly number[]): PollPolicy {
  const forecast = forecastDuration(durations);
  const ownPrice = priceOf(forecast);
  const lowest = forecast.known ? minPrice : unknownPrice;
  return {
    nextPollAt({ polledAt, notBefore, savedShare, rateShare = 1 }) {
      // The number of polls falls with the root of the price.
      const shared = ownPrice / rateShare ** 2;
      const price = Math.max(lowest, shared * Math.exp(savedWeight * (1 - 2 * savedShare)));
      return findCheapest(forecast, price, polledAt, Math.max(polledAt, notBefore));
    },
  };
}

/**
 * The price at which a task gets its share of the calls. The cheapest distance between two polls is
 * √(2 × price / hazard), so the number of polls follows from the price.
 */
function priceOf({ starts, density, survival, known }: DurationForecast): number {
  if (!known) return unknownPrice;
  let sum = 0;
  for (let step = 0; (starts[step] as number) < similarUntil * known.max; step++) {
    const [start, end] = [starts[step] as number, starts[step + 1] as number];
    const alive = ((survival[step] as number) + (survival[step + 1] as number)) / 2;
    sum += Math.sqrt((density[step] as number) * alive) * (end - start);
  }
  const { reads, all } = callsPerSecond;
  const cycle = known.mean + betweenTasks;
  const polls = Math.max(1, Math.min(reads * cycle, all * cycle - 1)); // one call is the create
  return sum ** 2 / 2 / polls ** 2;
}

/** Finds the poll with the least cost for its probability to see the end, among those allowed. */
function findCheapest(
  { starts, density, survival }: DurationForecast,
  price: number,
  polledAt: number,
  notBefore: number,
): number {
  const end = Math.max(polledAt + maxGapAt(polledAt), notBefore);
  let step = starts.findLastIndex((start) => start <= polledAt);
  const alive =
    (survival[step] as number) - (density[step] as number) * (polledAt - (starts[step] as number));
  let outcome: Outcome = { seen: 0, waited: 0, cost: price * alive };
  let best = { at: end, ratio: Number.POSITIVE_INFINITY };
  for (let at = polledAt; at < end && step + 1 < starts.length; step++) {
    const here = density[step] as number;
    const width = Math.min(starts[step + 1] as number, end) - at;
    const first = Math.max(0, notBefore - at);
    if (first <= width) {
      const cheapest = Math.min(Math.max(first, cheapestOffset(outcome, here)), width);
      for (const offset of [first, cheapest, width]) {
        const { seen, cost } = extend(outcome, here, offset);
        if (cost / seen < best.ratio) best = { at: at + offset, ratio: cost / seen };
      }
    }
    outcome = extend(outcome, here, width);
    at += width;
    if (outcome.cost / alive > best.ratio) break; // no later poll sees more than `alive`
  }
  return Math.max(notBefore, best.at); // the sum of the steps is rounded
}

/** What to expect of a poll. */
interface Outcome {
  /** The probability that it sees the end. */
  seen: number;
  /** The expected wait. */
  waited: number;
  /** Its price and the cost of the wait. */
  cost: number;
}

/** The outcome of a poll that is later by `offset`. Meanwhile tasks end with a constant density. */
function extend({ seen, waited, cost }: Outcome, density: number, offset: number): Outcome {
  const moreWaited = seen * offset + (density * offset ** 2) / 2;
  const moreSquares = waited * offset + (seen * offset ** 2) / 2 + (density * offset ** 3) / 6;
  return {
    seen: seen + density * offset,
    waited: waited + moreWaited,
    cost: cost + moreWaited + (2 / doubledBy) * moreSquares,
  };
}

/**
 * The offset with the least cost for the probability, by Newton's method; 0 if later polls only cost
 * more.
 */
function cheapestOffset(outcome: Outcome, density: number): number {
  const discriminant = 2 * density * outcome.cost - outcome.seen ** 2;
  if (density === 0 || discriminant <= 0) return 0;
  // Exact if a wait costs its time alone.
  let offset = (Math.sqrt(discriminant) - outcome.seen) / density;
  for (let round = 0; round < 3; round++) {
    const { seen, waited, cost } = extend(outcome, density, offset);
    const slope = seen + (2 / doubledBy) * waited;
    offset -= (slope * seen - cost * density) / (seen * (density + (2 / doubledBy) * seen));
  }
  return offset;
}

/** The policy for a task of unknown kind. */
export const unknownTask = makePollPolicy([]);
