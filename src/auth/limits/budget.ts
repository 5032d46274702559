/** The budget of a caller after a request. */
export interface BudgetUse {
  /** Whether the request was within the budget. A refused request uses nothing. */
  isAllowed: boolean;
  /** How many more requests this window allows. */
  remaining: number;
  /** Whole seconds until the window ends and the budget is full again, 1 to 60. */
  resetSeconds: number;
}

/** Length of a window in seconds. A window begins with the first request after the previous one. */
export const windowSeconds = 60;

// Some 300 bytes each. Lower: callers of a large company evict each other's windows, and some exceed
// their budget. Higher: an issuer with unlimited subjects fills the memory of a small container.
const maxCallers = 10_000;

/**
 * Makes a budget of requests per minute for each caller. It is counted in memory: a restart resets it,
 * and with more than 10,000 callers in a minute the oldest windows are evicted. `elapsed` is a clock
 * that only goes forward, in milliseconds: a clock that is set back would lengthen windows.
 */
export function makeBudget(
  perMinute: number,
  elapsed: () => number,
): (callerId: string) => BudgetUse {
  // In the order in which the windows began, which is the order in which they end.
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
    const isAllowed = window.used < perMinute;
    if (isAllowed) window.used += 1;
    const resetSeconds = Math.ceil((window.endsAt - now) / 1_000);
    return { isAllowed, remaining: perMinute - window.used, resetSeconds };
  };
}
