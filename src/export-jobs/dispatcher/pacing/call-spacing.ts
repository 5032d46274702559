/** Keeps the calls to AWS for one slot apart: one a second on average, and reads never closer. */
export interface CallSpacing {
  /** Milliseconds until a read may be sent; 0 when now. */
  freeInMs(): number;
  /** Milliseconds until a second has passed since the last call. */
  apartInMs(): number;
  /** Counts a call. A create or cancel need not wait, but the reads after it wait the longer. */
  count(): void;
  /** Notes one of the few calls a minute that are not counted: reads only keep apart from it. */
  note(): void;
}

// A create follows the read that saw the slot free in the same breath: two calls at once.
const maxSaved = 2;
// What is left of a call a second is for the sweeps.
const countedShare = 0.985;

/** Makes the spacing by a clock that only goes forward. */
export function makeCallSpacing({
  elapsed,
  everyMs,
}: {
  elapsed: () => number;
  everyMs: number;
}): CallSpacing {
  const savedEveryMs = everyMs / countedShare;
  let saved = maxSaved;
  let savedAt = elapsed();
  let lastAt = Number.NEGATIVE_INFINITY;

  const save = () => {
    const now = elapsed();
    saved = Math.min(maxSaved, saved + (now - savedAt) / savedEveryMs);
    savedAt = now;
  };
  const apartInMs = () => Math.max(0, Math.ceil(lastAt + everyMs - elapsed()));
  return {
    apartInMs,
    freeInMs() {
      save();
      return Math.max(apartInMs(), Math.ceil((1 - saved) * savedEveryMs));
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
