import { shareAnswers } from '#caching/shared-answers.ts';
import type { Database } from '#database/database.ts';
import type { SliceArrival } from '#targets/preflight/checks/slot-checks.ts';
import type { CallerQueueName } from '#targets/slot/job-visibility.ts';
import type { StartProblem } from '#targets/slot/start-problem.ts';
import { type CallerQueue, type ExpectedStart, forecast } from './forecast.ts';
import {
  readArrivals,
  readCallerQueues,
  readClock,
  readRanks,
  readStanding,
  readStartCount,
} from './read-queue.ts';
import { createProblemOf } from './slot/create-problem.ts';
import { type Pace, paceOf } from './slot/export-pace.ts';
import { readWaitingSince } from './slot/read-day.ts';
import { readLatestAttempts, readSlotHolder } from './slot/read-slot.ts';

/**
 * The position of a job in the queue of its target. Instants are epoch ms by the clock of the
 * database.
 */
export interface JobPosition {
  /** 1 when its next waiting slice is the next to start, 2 when one slice starts before it, … */
  position: number;
  /**
   * When its next waiting slice is expected to start; absent while nothing has run at the target yet.
   */
  estimatedStartAt?: number;
  /** When its last waiting slice is expected to end. */
  estimatedEndAt?: number;
}

/** What a job would find in the queue if it were accepted now. */
interface QueueEstimate {
  /** Slices that would start before its first. */
  slicesAhead: number;
  estimatedStartAt?: number;
  estimatedEndAt?: number;
}

/** The depth of one caller's queue at a priority. */
interface QueueDepth {
  priority: number;
  caller: string;
  waiting: number;
  /** How many of the waiting slices may start at once. */
  ready: number;
}

/** The queue in front of each slot, as callers see it. Answers are up to a second old. */
export interface QueueView {
  /** The position of the job's next waiting slice; `undefined` when none of its slices waits. */
  positionOf(job: {
    id: string;
    target: string;
    caller: string;
    priority: number;
  }): Promise<JobPosition | undefined>;
  /** The queues of a target that have waiting slices, the highest priority first. */
  depthOf(target: string): Promise<QueueDepth[]>;
  /** Why waiting slices of a target do not start, although it is usable: the newest create led to no task. */
  problemOf(target: string): Promise<StartProblem | undefined>;
  /**
   * What a job of these slices, the earliest first, would find if it were accepted now. Without a slice, such as
   * for log groups that do not exist yet, it is that of one slice.
   */
  estimate(
    target: string,
    arrivals: readonly SliceArrival[],
    priority: number,
    caller: string,
  ): Promise<QueueEstimate>;
}

/** The queue of a target at one moment. */
interface Snapshot {
  depths: QueueDepth[];
  queues: CallerQueue[];
  startsSoFar: number;
  freeAt: number;
  pace: Pace | undefined;
  problem: StartProblem | undefined;
}

// All callers share one count. Shorter: the queue is counted for each caller. Longer: answers feel
// stale.
const freshForMs = 1_000;

/** Makes the view of the queue; `elapsed` is a clock that only goes forward. */
export function makeQueueView(database: Database, elapsed: () => number): QueueView {
  const { queries } = database;
  const snapshotOf = shareAnswers(readSnapshot, { freshForMs, elapsed });
  const positionOf = shareAnswers(readPosition, { freshForMs, elapsed });

  async function readSnapshot(target: string): Promise<Snapshot> {
    const at = await readClock(database);
    const queues = await readCallerQueues(database, target, at);
    const hasArrivals = queues.some(({ waiting, ready }) => waiting > ready);
    const arrivals = hasArrivals ? await readArrivals(queries, target, at) : [];
    const attempts = await readLatestAttempts(queries, target);
    const pace = paceOf(attempts);
    const active = await readSlotHolder(queries, target);
    const oldestReadyAt = await readWaitingSince(queries, target, at);
    return {
      depths: queues
        .filter(({ waiting }) => waiting > 0)
        .map(({ priority, caller, waiting, ready }) => ({ priority, caller, waiting, ready })),
      queues: queues.map(({ waiting: _waiting, ...queue }) => ({
        ...queue,
        arrivals: arrivals.filter((arrival) => isSameQueue(arrival, queue)),
      })),
      startsSoFar: await readStartCount(queries, target),
      // A foreign task may be in the slot; nothing tells how long it will run.
      freeAt: active && pace ? Math.max(at, active.submittedAt + pace.runMs) + pace.handOffMs : at,
      pace,
      problem: createProblemOf(active, attempts, oldestReadyAt),
    };
  }

  async function readPosition(
    id: string,
    target: string,
    caller: string,
    priority: number,
  ): Promise<JobPosition | undefined> {
    const ranks = await readRanks(queries, { id, target, caller, priority });
    if (!ranks) return undefined;
    const snapshot = await snapshotOf(target);
    const { own, others } = await splitQueues(target, snapshot, { priority, caller });
    // The snapshot may be older than the job: then it does not count all of its slices.
    const waiting = own.ready + slicesIn(own.arrivals);
    const queue = { ...own, ready: own.ready + Math.max(0, ranks.last - waiting) };
    const expected = estimateStarts(snapshot, others, queue, [ranks.first, ranks.last]);
    return { position: expected.position, ...expected.estimates };
  }

  /** A caller's own queue in a snapshot, empty if nothing of it waits, and all others. */
  async function splitQueues(target: string, { queues }: Snapshot, name: CallerQueueName) {
    const own = queues.find((queue) => isSameQueue(queue, name)) ?? {
      ...(await readStanding(queries, target, name)),
      ready: 0,
      arrivals: [],
    };
    return { own, others: queues.filter((queue) => queue !== own) };
  }

  return {
    positionOf: ({ id, target, caller, priority }) => positionOf(id, target, caller, priority),
    depthOf: async (target) => (await snapshotOf(target)).depths,
    problemOf: async (target) => (await snapshotOf(target)).problem,
    async estimate(target, arrivals, priority, caller) {
      const snapshot = await snapshotOf(target);
      const { own, others } = await splitQueues(target, snapshot, { priority, caller });
      const added = slicesIn(arrivals) > 0 ? arrivals : [{ at: 0, slices: 1 }];
      const queue = { ...own, arrivals: [...own.arrivals, ...added] };
      const aheadAt = (at = 0) =>
        own.ready + slicesIn(own.arrivals.filter((arrival) => arrival.at <= at));
      const ranks = [aheadAt(added[0]?.at) + 1, aheadAt(added.at(-1)?.at) + slicesIn(added)];
      const { position, estimates } = estimateStarts(snapshot, others, queue, ranks);
      return { slicesAhead: position - 1, ...estimates };
    },
  };
}

const slicesIn = (arrivals: readonly SliceArrival[]) =>
  arrivals.reduce((sum, { slices }) => sum + slices, 0);

/** The position of the first of two slices of a queue, and the estimates for both. */
function estimateStarts(
  { startsSoFar, freeAt, pace }: Snapshot,
  others: CallerQueue[],
  queue: CallerQueue,
  ranks: number[],
) {
  const { priority, caller } = queue;
  const paceMs = pace ? pace.runMs + pace.handOffMs : 0;
  const queues = [...others, queue];
  const starts = forecast({ queues, startsSoFar, priority, caller, ranks, freeAt, paceMs });
  const [first, last] = starts as [ExpectedStart, ExpectedStart]; // every slice of a queue starts at some time
  return {
    position: first.position,
    estimates: pace && { estimatedStartAt: first.at, estimatedEndAt: last.at + pace.runMs },
  };
}

function isSameQueue(one: CallerQueueName, other: CallerQueueName): boolean {
  return one.priority === other.priority && one.caller === other.caller;
}
