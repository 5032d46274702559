import { callsPerSecond } from './poll-policy.ts';

/** Spaces the calls to AWS for one slot. */
export interface CallSpacing {
  /** Milliseconds until a read may be sent; 0 for now. */
  freeInMs(): number;
  /** How many calls are saved for later, from 0 for none to 1 for the most possible. */
  savedShare(): number;
  /** The part of `callsPerSecond` that the slot has, above 0 and up to 1. */
  rateShare(): number;
  /** Counts a read. */
  countRead(): void;
  /** Counts a create or cancel. It need not wait, but the reads after it wait longer. */
  countWrite(): void;
}

// Four reads a second at most. AWS accepts five for all callers of an account and Region together.
const minGap = 0.25;
// Fewer: the reads around the end of a task of a minute wait for the calls that it could not save. More:
// a slot makes more calls than its rate for many minutes.
const maxSaved = 200;

/**
 * Makes a spacing that has half of the savings. A slot makes `callsPerSecond` on average. `elapsed` is a
 * clock that only goes forward. `secondMs` is 1,000, and less in tests with shortened times. `rateShare`
 * is the part of that rate that the slot has; default: all of it.
 */
export function makeCallSpacing({
  elapsed,
  secondMs,
  rateShare = () => 1,
}: {
  elapsed: () => number;
  secondMs: number;
  rateShare?: () => number;
}): CallSpacing {
  const saved = { reads: maxSaved / 2, all: maxSaved / 2 };
  let savedAt = elapsed();
  let readAt = Number.NEGATIVE_INFINITY;

  function save(): void {
    const now = elapsed();
    const seconds = (rateShare() * (now - savedAt)) / secondMs;
    saved.reads = Math.min(maxSaved, saved.reads + seconds * callsPerSecond.reads);
    saved.all = Math.min(maxSaved, saved.all + seconds * callsPerSecond.all);
    savedAt = now;
  }
  return {
    freeInMs() {
      save();
      const inSeconds =
        Math.max((1 - saved.reads) / callsPerSecond.reads, (1 - saved.all) / callsPerSecond.all) /
        rateShare();
      const apartInMs = readAt + minGap * secondMs - elapsed();
      return Math.max(0, Math.ceil(Math.max(apartInMs, inSeconds * secondMs)));
    },
    savedShare() {
      save();
      return Math.max(0, Math.min(saved.reads, saved.all) / maxSaved);
    },
    rateShare,
    countRead() {
      save();
      saved.reads -= 1;
      saved.all -= 1;
      readAt = savedAt;
    },
    countWrite() {
      save();
      saved.all -= 1;
    },
  };
}
