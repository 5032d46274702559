/** How many calls may be in flight. */
export interface PlaceLimits {
  /** In all. */
  total: number;
  /** For one holder, while half of the places are free. */
  perHolder: number;
}

/** Places for calls in flight. */
export interface Places {
  /**
   * Makes a call in a place of its holder. Waits while the holder may not take one.
   * @throws the reason of the signal, if it aborts before the call has a place
   */
  hold<Answer>(holder: object, signal: AbortSignal, call: () => Promise<Answer>): Promise<Answer>;
}

interface WaitingCall {
  enter: () => void;
}

/**
 * Makes places that holders share. A holder takes up to `perHolder`, and fewer while less than half of
 * the places are free. A holder whose last call got no answer in time takes one only while half of them
 * are free. So holders whose calls hang leave places for the others. Holders that wait take turns.
 */
export function makePlaces({ total, perHolder }: PlaceLimits): Places {
  const held = new Map<object, number>();
  const waiting = new Map<object, WaitingCall[]>(); // the next holder to serve is first
  const hung = new WeakSet<object>(); // holders whose last call got no answer in time
  let free = total;

  const heldBy = (holder: object) => held.get(holder) ?? 0;

  function mayEnter(holder: object): boolean {
    const share = Math.min(1, (2 * free) / total);
    if (hung.has(holder) && share < 1) return false;
    return free > 0 && heldBy(holder) < Math.max(1, Math.floor(perHolder * share));
  }

  function enter(holder: object): void {
    free -= 1;
    held.set(holder, heldBy(holder) + 1);
  }

  function leave(holder: object): void {
    free += 1;
    if (heldBy(holder) === 1) held.delete(holder);
    else held.set(holder, heldBy(holder) - 1);
    for (const [next, calls] of waiting) {
      if (free === 0) break;
      if (mayEnter(next)) enterFirst(next, calls);
    }
  }

  function enterFirst(holder: object, calls: WaitingCall[]): void {
    const first = calls.shift();
    waiting.delete(holder);
    if (calls.length > 0) waiting.set(holder, calls); // behind the other holders
    enter(holder);
    first?.enter();
  }

  function waitToEnter(holder: object, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const calls = waiting.get(holder) ?? [];
    waiting.set(holder, calls);
    const withdraw = () => {
      calls.splice(calls.indexOf(call), 1);
      if (calls.length === 0) waiting.delete(holder);
      reject(signal.reason);
    };
    const call: WaitingCall = {
      enter() {
        signal.removeEventListener('abort', withdraw);
        resolve();
      },
    };
    calls.push(call);
    signal.addEventListener('abort', withdraw, { once: true });
    return promise;
  }

  return {
    async hold(holder, signal, call) {
      signal.throwIfAborted();
      if (mayEnter(holder)) enter(holder);
      else await waitToEnter(holder, signal);
      try {
        const answer = await call();
        hung.delete(holder);
        return answer;
      } catch (error) {
        if (signal.aborted || (error as Error).name === 'TimeoutError') hung.add(holder);
        else hung.delete(holder);
        throw error;
      } finally {
        leave(holder);
      }
    },
  };
}
