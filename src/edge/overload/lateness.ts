/** A measurement of the event loop over half a second. */
export interface LoopWindow {
  /** The mean delay of its timers, in milliseconds. */
  delayMs: number;
  /** The share of the time in which it had work, from 0 to 1. */
  utilization: number;
}

// Lower: one long pause looks like overload, such as garbage collection or a process that was not
// scheduled. Higher: a flood is accepted half a second longer for each window.
const windows = 2;

/**
 * A late loop with a lower utilization is not overloaded: it waits for the CPU, and shedding would not
 * help. Lower: other processes on the machine look like overload. Higher: a flood with short pauses is
 * accepted.
 */
export const busyFrom = 0.7;

/** The delay of the event loop under load, evaluated over the last windows. */
export interface Lateness {
  add(window: LoopWindow): void;
  /** The lowest delay of the last windows, in milliseconds; 0 until there are enough windows. */
  currentMs(): number;
  forget(): void;
}

/** Makes the lateness of a loop that was not measured yet. */
export function makeLateness(): Lateness {
  let delays: number[] = [];
  return {
    add({ delayMs, utilization }) {
      delays = [...delays.slice(1 - windows), utilization < busyFrom ? 0 : delayMs];
    },
    currentMs: () => (delays.length < windows ? 0 : Math.min(...delays)),
    forget() {
      delays = [];
    },
  };
}
