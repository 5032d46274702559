/** Spaces the calls to AWS for one slot: one per second on average, and reads never closer. */
export interface CallSpacing {
  /** Milliseconds until a read may be sent; 0 for now. */
  freeInMs(): number;
  /** Milliseconds until the last call is one interval old. */
  apartInMs(): number;
  /** Counts a call. A create or cancel need not wait, but the reads after it wait longer. */
  count(): void;
  /** Notes one of the few calls per minute that do not count. Reads keep their distance from it. */
  note(): void;
}

// Two: a create follows at once the read that found the slot free.
const maxSaved = 2;
// The rest of one call per second is for the sweeps.
const countedShare = 0.985;

/** Makes a spacing; `elapsed` is a clock that only goes forward. */
export function makeCallSpacing({
  elapsed,
  intervalMs,
}: {
  elapsed: () => number;
  intervalMs: number;
}): CallSpacing {
  const countedIntervalMs = intervalMs / countedShare;
  let saved = maxSaved;
  let savedAt = elapsed();
  let lastAt = Number.NEGATIVE_INFINITY;

  const save = () => {
    const now = elapsed();
    saved = Math.min(maxSaved, saved + (now - savedAt) / countedIntervalMs);
    savedAt = now;
  };
  const apartInMs = () => Math.max(0, Math.ceil(lastAt + intervalMs - elapsed()));
  return {
    apartInMs,
    freeInMs() {
      save();
      return Math.max(apartInMs(), Math.ceil((1 - saved) * countedIntervalMs));
    },
    count() {
      save();
      saved -= 1;
      lastAt = savedAt;
    },
    note() {
      lastAt = elapsed();
    },
  };
}
