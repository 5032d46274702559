/** What a request leaves of its caller's budget. */
export interface Spending {
  /** Whether the request was within the budget; one that was not has used nothing. */
  isWithin: boolean;
  /** How many more requests the window allows. */
  left: number;
  /** When the window ends and everything is allowed again: in so many whole seconds, 1 to 60. */
  secondsLeft: number;
}

/** How long a window is, in seconds. It begins with the first request after the last one ended. */
export const windowSeconds = 60;

// Some 300 bytes each. Fewer, and callers of a large company push each other out before their windows
// end, so that some may send more than they may; more, and an issuer with subjects without end takes
// the memory of a small container.
const maxCallers = 10_000;

/**
 * Makes a budget of so many requests a minute for each caller, counted in memory: a restart forgets,
 * and of more than 10,000 callers in a minute those whose windows are the oldest are forgotten.
 * `elapsed` only goes forward, in milliseconds; a clock that is set back would lengthen windows.
 */
export function makeBudget(
  perMinute: number,
  elapsed: () => number,
): (callerId: string) => Spending {
  // In the order in which the windows began, and so in the order in which they end.
  const windows = new Map<string, { endsAt: number; used: number }>();

  function beginWindow(callerId: string, now: number) {
    windows.delete(callerId);
    for (const [oldest, { endsAt }] of windows) {
      if (endsAt > now && windows.size < maxCallers) break;
      windows.delete(oldest);
    }
    const window = { endsAt: now + windowSeconds * 1_000, used: 0 };
    windows.set(callerId, window);
    return window;
  }

  return (callerId) => {
    const now = elapsed();
    const known = windows.get(callerId);
    const window = known && now < known.endsAt ? known : beginWindow(callerId, now);
    const isWithin = window.used < perMinute;
    if (isWithin) window.used += 1;
    const secondsLeft = Math.ceil((window.endsAt - now) / 1_000);
    return { isWithin, left: perMinute - window.used, secondsLeft };
  };
}
