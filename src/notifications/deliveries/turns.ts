import { setAsNewest } from '#caching/bounded-map.ts';
import type { DeliveryResult } from './tries/delivery-result.ts';

// Deliveries at once: of a process, of one caller, to one destination, and to a held one. Fewer: many events arrive
// late. More: receivers get more than they can take, and those of one caller hold the places of others.
const maxAtOnce = 16;
const maxPerCaller = 4;
const maxPerDestination = 2;
const maxPerHeld = 1;
// Held destinations share half of the places: of all, and of their caller. Otherwise those that hang would delay the
// other ones.
const maxOfHeld = maxAtOnce / 2;
const maxOfHeldPerCaller = maxPerCaller / 2;
// A destination is held when its last try has failed or took longer than this. Shorter: usual receivers get one event
// at a time. Longer: a receiver that answers late takes the places of others.
const slowMs = 1_000;
// How many destinations and callers are remembered. Fewer: the turns are forgotten, and which destinations are held.
// More: memory.
const maxRemembered = 10_000;

/** Where deliveries go, and for whom. */
export interface Receiver {
  destination: string;
  /** The caller of an endpoint. A topic or an event bus is a caller of its own. */
  caller: string;
}

/** Who is served next. */
export interface Turns {
  /**
   * Returns the receiver that is next, of those that may be served now: the caller that was served longest ago, and
   * of its destinations the one that was served longest ago.
   */
  next<Due extends Receiver>(due: Iterable<Due>): Due | undefined;
  begin(receiver: Receiver): void;
  /** Frees the place. `result` is undefined if nothing was sent. */
  end(receiver: Receiver, result: DeliveryResult | undefined): void;
}

/** Makes turns. Each caller and each destination has places of its own, so that none waits for one that hangs. */
export function makeTurns(): Turns {
  const running: Receiver[] = [];
  const held = new Map<string, true>();
  const destinations = new Map<string, number>();
  const callers = new Map<string, number>();
  let turns = 0;

  const isHeld = ({ destination }: Receiver) => held.has(destination);

  function mayBegin(receiver: Receiver): boolean {
    const ofDestination = running.filter((each) => each.destination === receiver.destination);
    const ofCaller = running.filter((each) => each.caller === receiver.caller);
    if (ofCaller.length >= maxPerCaller) return false;
    if (!isHeld(receiver)) return ofDestination.length < maxPerDestination;
    return (
      ofDestination.length < maxPerHeld &&
      ofCaller.filter(isHeld).length < maxOfHeldPerCaller &&
      running.filter(isHeld).length < maxOfHeld
    );
  }

  function isEarlier(one: Receiver, other: Receiver): boolean {
    const byCaller = (callers.get(one.caller) ?? 0) - (callers.get(other.caller) ?? 0);
    if (byCaller !== 0) return byCaller < 0;
    return (destinations.get(one.destination) ?? 0) < (destinations.get(other.destination) ?? 0);
  }

  return {
    next<Due extends Receiver>(due: Iterable<Due>) {
      if (running.length >= maxAtOnce) return undefined;
      let next: Due | undefined;
      for (const receiver of due) {
        if (next && !isEarlier(receiver, next)) continue;
        if (mayBegin(receiver)) next = receiver;
      }
      return next;
    },
    begin(receiver) {
      turns += 1;
      setAsNewest(callers, receiver.caller, turns, maxRemembered);
      setAsNewest(destinations, receiver.destination, turns, maxRemembered);
      running.push(receiver);
    },
    end(receiver, result) {
      running.splice(running.indexOf(receiver), 1);
      if (!result) return;
      if (result.outcome !== 'delivered' || result.durationMs > slowMs)
        setAsNewest(held, receiver.destination, true, maxRemembered);
      else held.delete(receiver.destination);
    },
  };
}
