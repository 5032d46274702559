import { syncBuiltinESMExports } from 'node:module';
import { performance } from 'node:perf_hooks';
import timers from 'node:timers/promises';
import { promisify } from 'node:util';

import { readCoreWaitMs } from './core-wait.ts';

// In a process that loads this module first, the time in which its thread was ready to run but had no core does not
// count for its time limits. So a busy machine reaches no such limit that an idle one would not reach. All other time
// counts, also that of a call that keeps the thread.
// Covered are the global setTimeout, and that of node:timers/promises. Not covered are AbortSignal.timeout,
// socket.setTimeout, response.setTimeout, setInterval, and the limits of Node itself. They are in real time.

const { setTimeout: wait } = timers;
const startTimer = globalThis.setTimeout;

const ownMs = () => performance.now() - readCoreWaitMs('/proc/thread-self');

// Lower: each short pause reads a file. Higher: a limit is reached too early.
const shortestLimitMs = 100;
// Node replaces a longer one by a millisecond.
const longestLimitMs = 2 ** 31 - 1;
const isLimit = (ms: number) => ms >= shortestLimitMs && ms <= longestLimitMs;

/** Returns a function that says how much of this limit is missing. It is over at 0 or less. */
function startOwn(ms: number): () => number {
  const endMs = ownMs() + ms;
  return () => Math.ceil(endMs - ownMs());
}

const ownWait = async (ms = 1, value?: unknown, options?: object) => {
  if (!isLimit(ms)) return wait(ms, value, options);
  const missing = startOwn(ms);
  for (let nextMs = ms; nextMs > 0; nextMs = missing()) await wait(nextMs, undefined, options);
  return value;
};

/** `_idleTimeout` is the delay that `refresh` uses. It is -1 once the timer is stopped. */
type Timer = NodeJS.Timeout & { _idleTimeout: number };

function startOwnTimer(act: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) {
  if (!isLimit(ms)) return startTimer(act, ms, ...args);
  let missing = startOwn(ms);
  const actIfOver = () => {
    const missingMs = missing();
    return missingMs > 0 ? repeat(missingMs) : act(...args);
  };
  const timer = startTimer(actIfOver, ms) as Timer;
  const refresh = timer.refresh.bind(timer);
  const repeat = (nextMs: number) => {
    if (timer._idleTimeout !== -1) timer._idleTimeout = nextMs;
    return refresh();
  };
  timer.refresh = () => {
    missing = startOwn(ms);
    return repeat(ms);
  };
  return timer;
}

Object.assign(startOwnTimer, { [promisify.custom]: ownWait });
Object.assign(globalThis, { setTimeout: startOwnTimer });
Object.assign(timers, { setTimeout: ownWait });
syncBuiltinESMExports();
