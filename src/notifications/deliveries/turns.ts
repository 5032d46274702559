import { setAsNewest } from '#caching/bounded-map.ts';

// Deliveries at once: of a process, to one destination, and to one whose last try has failed. Fewer: many events
// arrive late. More: receivers get more than they can take, and a hanging one holds more sockets.
const maxAtOnce = 16;
const maxPerDestination = 2;
const maxPerFailing = 1;
// Destinations whose last try has failed share half of the places. Otherwise sixteen that hang would delay the others.
const maxForFailing = maxAtOnce / 2;
// How many destinations are remembered. Fewer: the turns are forgotten, and an old failure with them. More: memory.
const maxRemembered = 10_000;

/** Which destination is served next. */
export interface Turns {
  /** Returns the destination that was served longest ago, of those that may be served now. */
  next(destinations: Iterable<string>): string | undefined;
  begin(destination: string): void;
  /** Frees the place. `hasFailed` is undefined if nothing was sent. */
  end(destination: string, hasFailed: boolean | undefined): void;
}

/** Makes turns. Each destination has places of its own, so that none waits for another one that hangs. */
export function makeTurns(): Turns {
  const running = new Map<string, number>();
  const failing = new Map<string, true>();
  const served = new Map<string, number>();
  let turns = 0;

  const countRunning = (isCounted: (destination: string) => boolean) =>
    [...running].reduce((sum, [each, count]) => sum + (isCounted(each) ? count : 0), 0);

  function mayBegin(destination: string): boolean {
    const own = running.get(destination) ?? 0;
    if (!failing.has(destination)) return own < maxPerDestination;
    return own < maxPerFailing && countRunning((each) => failing.has(each)) < maxForFailing;
  }

  return {
    next(destinations) {
      if (countRunning(() => true) >= maxAtOnce) return undefined;
      let next: string | undefined;
      let nextTurn = Number.POSITIVE_INFINITY;
      for (const destination of destinations) {
        const turn = served.get(destination) ?? 0;
        if (turn >= nextTurn || !mayBegin(destination)) continue;
        next = destination;
        nextTurn = turn;
      }
      return next;
    },
    begin(destination) {
      turns += 1;
      setAsNewest(served, destination, turns, maxRemembered);
      running.set(destination, (running.get(destination) ?? 0) + 1);
    },
    end(destination, hasFailed) {
      const left = (running.get(destination) ?? 0) - 1;
      if (left > 0) running.set(destination, left);
      else running.delete(destination);
      if (hasFailed === true) setAsNewest(failing, destination, true, maxRemembered);
      if (hasFailed === false) failing.delete(destination);
    },
  };
}
