/** The clock of the whole emulator, in epoch milliseconds. */
export interface Clock {
  now(): number;
  /** Advances the clock. Everything due until then happens, in order, before this returns. */
  advance(ms: number): void;
  /** Sets the clock. Setting it back undoes nothing. */
  set(epochMs: number): void;
}

/** A clock with scheduled actions. It has no timers: `runDue` is called before each request. */
export interface Scheduler extends Clock {
  /** Schedules an action. While it runs, `now()` is the instant at which it was due. */
  at(dueAt: number, action: () => void): void;
  /** Runs all actions due by now, earliest first. Equal instants keep their order. */
  runDue(): void;
}

/** Makes a clock that stands still at `startAt`. Without `startAt` it runs in real time. */
export function makeScheduler(startAt?: number): Scheduler {
  const realNow = startAt === undefined ? Date.now : () => 0;
  let offsetMs = startAt ?? 0;
  let actingAt: number | undefined;
  // Latest first: the next action is popped from the end.
  const entries: { dueAt: number; action: () => void }[] = [];

  const scheduler: Scheduler = {
    now: () => actingAt ?? realNow() + offsetMs,
    advance(ms) {
      offsetMs += ms;
      scheduler.runDue();
    },
    set(epochMs) {
      offsetMs = epochMs - realNow();
      scheduler.runDue();
    },
    at(dueAt, action) {
      let low = 0;
      for (let high = entries.length; low < high; ) {
        const middle = (low + high) >>> 1;
        if ((entries[middle]?.dueAt ?? 0) > dueAt) low = middle + 1;
        else high = middle;
      }
      entries.splice(low, 0, { dueAt, action });
    },
    runDue() {
      // An action may call this again. The outer call runs the remaining actions.
      if (actingAt !== undefined) return;
      const until = scheduler.now();
      try {
        for (let next = entries.at(-1); next && next.dueAt <= until; next = entries.at(-1)) {
          entries.pop();
          actingAt = next.dueAt;
          next.action();
        }
      } finally {
        actingAt = undefined;
      }
    },
  };
  return scheduler;
}
