import { setAsNewest } from '#caching/bounded-map.ts';
import { makeDatabaseClock } from '#database/database-clock.ts';
import { makeDestinationPreflight } from '#targets/preflight/destination-refusal.ts';
import type { OpenTarget } from '#targets/target.ts';
import { makeInstallationReader } from '../../store/installation.ts';
import { makeSlotMemory, type SlotOptions } from '../owned-slot.ts';
import { makeCallSpacing } from '../pacing/call-spacing.ts';
import { callsPerSecond } from '../pacing/poll-policy.ts';
import { makeSlotOutages } from '../slot-outages.ts';
import type { SharedOptions } from './dispatcher-options.ts';
import { type SlotWorker, startSlotWorker } from './slot-worker.ts';
import type { SlotRecall } from './take-slot.ts';

/** The workers of a process: one for each slot that it works. */
export interface SlotWorkers {
  get(target: string): SlotWorker | undefined;
  all(): SlotWorker[];
  /** Starts a worker, unless its last one has failed and its pause is not over. */
  start(target: OpenTarget, passedOver: string | undefined): void;
  /** Hears that a target has changed: its worker, and the pause after its last one. */
  targetChanged(target: string): void;
  /** Notes a reading of the database's clock, which began at an instant by `elapsed`. */
  noteClock(now: number, beganAt: number): void;
}

// Fewer: after an outage, a thousand waiting targets start slowly. More: the API waits for a connection
// to the database.
const maxTakesAtOnce = 5;
// How many slots without a worker are remembered, with their pauses. Fewer: a slot that failed is tried
// again too soon. More: memory.
const maxRecalls = 2_000;
// How many polls all slots of a process make per second together. A poll costs 1 to 2 ms of a core. Fewer:
// with hundreds of busy slots, the end of a task is noticed later. More: they need a core for themselves.
const maxPollsPerSecond = 100;

/** Makes the workers of a process. There are none before their start. */
export function makeSlotWorkers(
  options: SharedOptions & Pick<SlotOptions, 'onVerifying'>,
  stop: AbortSignal,
): SlotWorkers {
  const { database, targets, timings, elapsed, reach = async () => {}, track } = options;
  const workers = new Map<string, SlotWorker>();
  const recalls = new Map<string, SlotRecall>();
  const clock = makeDatabaseClock(elapsed);
  const installation = makeInstallationReader(database);
  const inTurn = makeTurns(maxTakesAtOnce);
  const findDestinationRefusal = makeDestinationPreflight({
    elapsed,
    deadlineMs: timings.preflightMs,
  });

  const rateShare = () =>
    Math.min(1, maxPollsPerSecond / (callsPerSecond.reads * Math.max(1, workers.size)));

  function recallOf(target: string): SlotRecall {
    return (
      recalls.get(target) ?? {
        callSpacing: makeCallSpacing({ elapsed, secondMs: timings.secondMs, rateShare }),
        memory: makeSlotMemory(),
        fence: 0,
        failures: 0,
        outages: makeSlotOutages(options),
        notBefore: Number.NEGATIVE_INFINITY,
      }
    );
  }

  function noteClock(now: number, beganAt: number): void {
    const setBackMs = clock.observe(now, beganAt);
    if (setBackMs === 0) return;
    for (const worker of workers.values()) if (worker.held()) worker.clockSetBack(setBackMs);
  }

  return {
    get: (target) => workers.get(target),
    all: () => [...workers.values()],
    noteClock,
    targetChanged(target) {
      const recall = recalls.get(target);
      if (recall) recall.notBefore = Number.NEGATIVE_INFINITY;
      workers.get(target)?.targetChanged();
    },
    start(target, passedOver) {
      const { name } = target;
      const recall = recallOf(name);
      if (stop.aborted || elapsed() < recall.notBefore) return;
      const worker = startSlotWorker({
        ...options,
        target,
        passedOver,
        recall,
        reach,
        installation,
        findDestinationRefusal,
        noteClock,
        inTurn,
        stop,
        findTarget: () => targets.forDispatcher(name),
      });
      workers.set(name, worker);
      const ended = worker.ended.then(() => {
        workers.delete(name);
        setAsNewest(recalls, name, recall, maxRecalls);
      });
      track?.(ended);
    },
  };
}

/** Runs at most `maxAtOnce` acts at the same time. The others wait, in order. */
function makeTurns(maxAtOnce: number) {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async <Result>(act: () => Promise<Result>): Promise<Result> => {
    if (running === maxAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await act();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
