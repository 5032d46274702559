import type { ActionKind } from '#auth/authorization/action.ts';

/** From where on requests are turned away. */
interface Level {
  /** So many under way at once. */
  underWay: number;
  /** The event loop so late, in milliseconds. */
  delayMs: number;
}

/**
 * For creates. Each holds a connection to AWS until it is answered. Fewer, and a few callers whose
 * target hangs keep everybody else out; more, and where this process is what limits, each takes
 * longer than a quarter of a second. A create takes several turns of the event loop: with turns
 * later than this it is too late anyway, and sooner a cold start looks like overload.
 */
export const createLevel: Level = { underWay: 64, delayMs: 100 };

/**
 * For cancels and reads. They cost little, and callers need them most when much is going on. Sooner,
 * and they would be turned away while turning creates away still helps; later, and a caller has given
 * up before it hears of it.
 */
export const otherLevel: Level = { underWay: 1_000, delayMs: 250 };

/** What the process has to do, and whether it takes more. */
export interface Load {
  mayEnter(kind: ActionKind): boolean;
  enter(kind: ActionKind): void;
  leave(kind: ActionKind): void;
}

/** Makes the load of a process that has nothing to do yet; `loopDelayMs` says how late its event loop is. */
export function makeLoad(loopDelayMs: () => number): Load {
  const creates = { ...createLevel, now: 0 };
  const others = { ...otherLevel, now: 0 };
  const groupOf = (kind: ActionKind) => (kind === 'create' ? creates : others);

  return {
    mayEnter(kind) {
      const { now, underWay, delayMs } = groupOf(kind);
      return now < underWay && loopDelayMs() <= delayMs;
    },
    enter(kind) {
      groupOf(kind).now += 1;
    },
    leave(kind) {
      groupOf(kind).now -= 1;
    },
  };
}
