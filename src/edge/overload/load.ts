import type { ActionKind } from '#auth/authorization/action.ts';

/** The level at which requests are shed. */
interface Level {
  /** The most requests in flight. */
  inFlight: number;
  /** The longest delay of the event loop, in milliseconds. */
  delayMs: number;
}

/**
 * The level for creates. Each holds a connection to AWS until it is answered. Requests, lower: a few
 * callers whose target hangs block everyone else. Higher: when this process is the bottleneck, each create
 * takes longer than 0.25 s. Delay, lower: a cold start looks like overload. Higher: a create, which takes
 * several turns of the event loop, is too late anyway.
 */
export const createLevel: Level = { inFlight: 64, delayMs: 100 };

/**
 * The level for cancels and reads. They are cheap, and callers need them most under load. Lower: they are
 * shed although shedding creates would be enough. Higher: callers time out before they get the answer.
 */
export const otherLevel: Level = { inFlight: 1_000, delayMs: 250 };

/** The requests in flight, and whether the process accepts more. */
export interface Load {
  mayEnter(kind: ActionKind): boolean;
  enter(kind: ActionKind): void;
  leave(kind: ActionKind): void;
}

/** Makes the load of an idle process; `loopDelayMs` returns the delay of its event loop. */
export function makeLoad(loopDelayMs: () => number): Load {
  const creates = { ...createLevel, now: 0 };
  const others = { ...otherLevel, now: 0 };
  const groupOf = (kind: ActionKind) => (kind === 'create' ? creates : others);

  return {
    mayEnter(kind) {
      const { now, inFlight, delayMs } = groupOf(kind);
      return now < inFlight && loopDelayMs() <= delayMs;
    },
    enter(kind) {
      groupOf(kind).now += 1;
    },
    leave(kind) {
      groupOf(kind).now -= 1;
    },
  };
}
