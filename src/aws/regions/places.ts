/** How many calls may be in flight. */
export interface PlaceLimits {
  /** In all. */
  total: number;
  /** For one holder, while at least half of the places are free. */
  perHolder: number;
}

/** Places for calls in flight. */
export interface Places {
  /**
   * Makes a call in a place of its holder. Waits while the holder may not take one.
   * @throws an error if the signal aborts before the call has a place
   */
  hold<Answer>(holder: object, signal: AbortSignal, call: () => Promise<Answer>): Promise<Answer>;
}

type Leave = () => void;

interface WaitingCall {
  enter(leave: Leave): void;
}

/**
 * Makes places that holders share. A holder takes up to `perHolder`, and fewer while less than half of
 * the places are free. Holders whose last call got no answer in time take at most half of the places
 * together. So calls that hang leave places for others. Holders that wait take turns.
 */
export function makePlaces({ total, perHolder }: PlaceLimits): Places {
  const held = new Map<object, number>();
  const waiting = new Map<object, WaitingCall[]>(); // the next holder to serve is first
  const hung = new WeakSet<object>(); // holders whose last call got no answer in time
  let free = total;
  let heldByHung = 0;

  const heldBy = (holder: object) => held.get(holder) ?? 0;

  function mayEnter(holder: object): boolean {
    if (free === 0 || (hung.has(holder) && heldByHung >= total / 2)) return false;
    const share = Math.min(1, (2 * free) / total);
    return heldBy(holder) < Math.max(1, Math.floor(perHolder * share));
  }

  function enter(holder: object): Leave {
    const weight = hung.has(holder) ? 1 : 0;
    free -= 1;
    heldByHung += weight;
    held.set(holder, heldBy(holder) + 1);
    return () => {
      free += 1;
      heldByHung -= weight;
      if (heldBy(holder) === 1) held.delete(holder);
      else held.set(holder, heldBy(holder) - 1);
      serve();
    };
  }

  function serve(): void {
    for (const [holder, calls] of waiting) {
      if (!mayEnter(holder)) continue;
      const first = calls.shift();
      waiting.delete(holder);
      if (calls.length > 0) waiting.set(holder, calls); // behind the other holders
      first?.enter(enter(holder));
    }
  }

  function waitToEnter(holder: object, signal: AbortSignal): Promise<Leave> {
    const { promise, resolve, reject } = Promise.withResolvers<Leave>();
    const calls = waiting.get(holder) ?? [];
    waiting.set(holder, calls);
    const withdraw = () => {
      calls.splice(calls.indexOf(call), 1);
      if (calls.length === 0) waiting.delete(holder);
      reject(noPlace(signal));
    };
    const call: WaitingCall = {
      enter(leave) {
        signal.removeEventListener('abort', withdraw);
        resolve(leave);
      },
    };
    calls.push(call);
    signal.addEventListener('abort', withdraw, { once: true });
    return promise;
  }

  return {
    async hold(holder, signal, call) {
      if (signal.aborted) throw noPlace(signal);
      const leave = mayEnter(holder) ? enter(holder) : await waitToEnter(holder, signal);
      try {
        const answer = await call();
        hung.delete(holder);
        return answer;
      } catch (error) {
        if (signal.aborted || (error as Error).name === 'TimeoutError') hung.add(holder);
        else hung.delete(holder);
        throw error;
      } finally {
        leave();
      }
    },
  };
}

function noPlace({ reason }: AbortSignal): Error {
  const message = 'the call was not sent in time: too many earlier calls have no answer yet';
  return new Error(message, { cause: reason });
}
