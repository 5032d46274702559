import { shareAnswers } from '#caching/shared-answers.ts';
import type { Database } from '#database/database.ts';
import type { CallerQueueName } from '#targets/job-visibility.ts';
import { type Pace, paceOf } from './export-pace.ts';
import { forecast, type Queue, type Start } from './forecast.ts';
import {
  readActiveSlice,
  readArrivals,
  readCallerQueues,
  readClock,
  readLatestAttempts,
  readRanks,
  readStartCount,
} from './read-queue.ts';

/** Where a job stands in the queue of its target. Instants are epoch ms by the clock of the database. */
export interface Place {
  /** 1 when its next waiting slice is the next to start, 2 when one slice starts before it, … */
  position: number;
  /** When its next waiting slice is expected to start; absent while nothing has run at the target yet. */
  estimatedStartAt?: number;
  /** When its last waiting slice is expected to end. */
  estimatedEndAt?: number;
}

/** What a job that is not accepted yet would meet in the queue. */
interface QueueEstimate {
  /** Slices that would start before its first. */
  slicesAhead: number;
  estimatedStartAt?: number;
  estimatedEndAt?: number;
}

/** One caller's queue at a priority: how many of its slices wait, and how many of these are ready. */
interface QueueDepth {
  priority: number;
  caller: string;
  waiting: number;
  ready: number;
}

/** The queue in front of each slot, as it is told to callers. Answers are up to a second old. */
export interface QueueView {
  /** Where the job's next waiting slice stands; `undefined` when none of its slices waits. */
  placeOf(job: {
    id: string;
    target: string;
    caller: string;
    priority: number;
  }): Promise<Place | undefined>;
  /** The queues of a target where somebody waits, the highest priority first. */
  depthOf(target: string): Promise<QueueDepth[]>;
  /** What a job of so many slices, accepted now and ready at once, would meet. */
  estimate(
    target: string,
    slices: number,
    priority: number,
    caller: string,
  ): Promise<QueueEstimate>;
}

/** The queue of a target at a moment. */
interface Snapshot {
  depths: QueueDepth[];
  queues: Queue[];
  turns: number;
  freeAt: number;
  pace: Pace | undefined;
}

// Whatever the number of askers. Younger, and the queue is counted for each; older, and it feels stale.
const freshForMs = 1_000;

/** Makes the view of the queue; `elapsed` is a clock that only goes forward. */
export function makeQueueView(database: Database, elapsed: () => number): QueueView {
  const { queries } = database;
  const snapshotOf = shareAnswers(readSnapshot, { freshForMs, elapsed });
  const placeOf = shareAnswers(readPlace, { freshForMs, elapsed });

  async function readSnapshot(target: string): Promise<Snapshot> {
    const at = await readClock(database);
    const queues = await readCallerQueues(queries, target, at);
    const hasArrivals = queues.some(({ waiting, ready }) => waiting > ready);
    const arrivals = hasArrivals ? await readArrivals(queries, target, at) : [];
    const pace = paceOf(await readLatestAttempts(queries, target));
    const active = await readActiveSlice(queries, target);
    return {
      depths: queues
        .filter(({ waiting }) => waiting > 0)
        .map(({ priority, caller, waiting, ready }) => ({ priority, caller, waiting, ready })),
      queues: queues.map(({ waiting: _waiting, ...queue }) => ({
        ...queue,
        arrivals: arrivals.filter((arrival) => isSameQueue(arrival, queue)),
      })),
      turns: await readStartCount(queries, target),
      // A task of somebody else's may be in the slot; nothing tells how long.
      freeAt: active && pace ? Math.max(at, active.submittedAt + pace.runMs) + pace.handOffMs : at,
      pace,
    };
  }

  async function readPlace(
    id: string,
    target: string,
    caller: string,
    priority: number,
  ): Promise<Place | undefined> {
    const ranks = await readRanks(queries, { id, target, caller, priority });
    if (!ranks) return undefined;
    const snapshot = await snapshotOf(target);
    const { own, others } = lineOf(snapshot, priority, caller);
    // The snapshot may be older than the job: then it has not counted all of its slices.
    const waiting = own.ready + own.arrivals.reduce((sum, { slices }) => sum + slices, 0);
    const queue = { ...own, ready: own.ready + Math.max(0, ranks.last - waiting) };
    const starts = foretell(snapshot, [...others, queue], queue, [ranks.first, ranks.last]);
    return { position: starts.position, ...starts.estimates };
  }

  return {
    placeOf: ({ id, target, caller, priority }) => placeOf(id, target, caller, priority),
    depthOf: async (target) => (await snapshotOf(target)).depths,
    async estimate(target, slices, priority, caller) {
      const snapshot = await snapshotOf(target);
      const { own, others } = lineOf(snapshot, priority, caller);
      const queue = { ...own, ready: own.ready + slices };
      const ranks = [own.ready + 1, queue.ready];
      const { position, estimates } = foretell(snapshot, [...others, queue], queue, ranks);
      return { slicesAhead: position - 1, ...estimates };
    },
  };
}

/** A caller's queue in a snapshot, empty if it has none yet, and those of the others. */
function lineOf({ queues }: Snapshot, priority: number, caller: string) {
  const mine = { priority, caller };
  return {
    own: queues.find((queue) => isSameQueue(queue, mine)) ?? {
      ...mine,
      lastTurn: 0,
      asideUntil: 0,
      ready: 0,
      arrivals: [],
    },
    others: queues.filter((queue) => !isSameQueue(queue, mine)),
  };
}

/** When the first and the last of two slices of a queue start, and what follows from it. */
function foretell(
  { turns, freeAt, pace }: Snapshot,
  queues: Queue[],
  queue: Queue,
  ranks: number[],
) {
  const { priority, caller } = queue;
  const paceMs = pace ? pace.runMs + pace.handOffMs : 0;
  const starts = forecast({ queues, turns, priority, caller, ranks, freeAt, paceMs });
  const [first, last] = starts as [Start, Start]; // a queue ends only when all its slices have started
  return {
    position: first.position,
    estimates: pace && { estimatedStartAt: first.at, estimatedEndAt: last.at + pace.runMs },
  };
}

function isSameQueue(one: CallerQueueName, other: CallerQueueName): boolean {
  return one.priority === other.priority && one.caller === other.caller;
}
