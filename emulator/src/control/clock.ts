/** The time every part of the emulator lives by; epoch milliseconds. */
export interface Clock {
  now(): number;
  /** Turns the clock; everything due on the way happens, in order, before this returns. */
  advance(ms: number): void;
  /** Turns the clock to an instant. Turning it back undoes nothing that has happened. */
  set(epochMs: number): void;
}

/** A clock with things to do: what is due happens when somebody looks, without timers. */
export interface Agenda extends Clock {
  /** Notes an action for an instant. While it runs, `now()` is that instant. */
  at(dueAt: number, action: () => void): void;
  /** Runs everything due by now, earliest first; equal instants in the order they were noted. */
  settle(): void;
}

/** Makes a clock that stands still at `startAt`, or without it runs with the real one. */
export function makeAgenda(startAt?: number): Agenda {
  const realNow = startAt === undefined ? Date.now : () => 0;
  let offsetMs = startAt ?? 0;
  let actingAt: number | undefined;
  // Latest first, so that the next one due is popped from the end.
  const entries: { dueAt: number; action: () => void }[] = [];

  const agenda: Agenda = {
    now: () => actingAt ?? realNow() + offsetMs,
    advance(ms) {
      offsetMs += ms;
      agenda.settle();
    },
    set(epochMs) {
      offsetMs = epochMs - realNow();
      agenda.settle();
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
    settle() {
      // An action may look at the state and so come back here; the outer round goes on anyway.
      if (actingAt !== undefined) return;
      const until = agenda.now();
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
  return agenda;
}
