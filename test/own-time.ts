import { syncBuiltinESMExports } from 'node:module';
import { performance } from 'node:perf_hooks';
import timers from 'node:timers/promises';
import { promisify } from 'node:util';

// In a process that loads this module first, the time in which it waits for a processor does not count for its time
// limits. So a busy machine reaches no limit that an idle one would not reach.

const { eventLoopUtilization } = performance; // another module replaces it
const { setTimeout: wait } = timers;
const startTimer = globalThis.setTimeout;

/** The time in which this process has run or has waited for others, in milliseconds. */
function ownMs(): number {
  const { user, system } = process.cpuUsage();
  return eventLoopUtilization().idle + (user + system) / 1_000;
}

// Shorter: pauses are longer than they are meant to be. Longer: limits are reached too early.
const shortestLimitMs = 100;
// Lower: a limit is reached too early. Higher: after a wait for a disk, an idle machine waits twice as long.
const ownShare = 0.8;

/** Returns a function that says whether this time has passed since now. */
function startOwn(ms: number): () => boolean {
  const beganMs = ownMs();
  return () => ms < shortestLimitMs || ownMs() - beganMs >= ownShare * ms;
}

const ownWait = async (ms = 1, value?: unknown, options?: object) => {
  const isOver = startOwn(ms);
  do await wait(ms, undefined, options);
  while (!isOver());
  return value;
};

function startOwnTimer(act: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) {
  let isOver = startOwn(ms);
  const timer = startTimer(() => (isOver() ? act(...args) : repeat()), ms);
  const repeat = timer.refresh.bind(timer);
  timer.refresh = () => {
    isOver = startOwn(ms);
    return repeat();
  };
  return timer;
}

Object.assign(startOwnTimer, { [promisify.custom]: ownWait });
Object.assign(globalThis, { setTimeout: startOwnTimer });
Object.assign(timers, { setTimeout: ownWait });
syncBuiltinESMExports();
