/** What the event loop was like for half a second. */
export interface LoopWindow {
  /** The mean of what its turns took beyond their due, in milliseconds. */
  delayMs: number;
  /** The share of the time in which it had work, from 0 to 1. */
  utilization: number;
}

// Fewer, and one long turn looks like overload: garbage collection, or a process that was not
// scheduled. More, and a flood is let in for half a second longer each.
const windows = 2;

/**
 * A late loop with less work than this is not overloaded. It waits for the CPU, and shedding would
 * help nobody. Lower, and neighbours on the machine look like overload; higher, and a flood with
 * short pauses is let in.
 */
export const busyFrom = 0.7;

/** How late an event loop is under load, evaluated by windows of it. */
export interface Lateness {
  add(window: LoopWindow): void;
  /** The delay of the better of the last windows, in milliseconds; 0 until there are enough. */
  currentMs(): number;
  forget(): void;
}

/** Makes the lateness of a loop of which nothing is known yet. */
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
