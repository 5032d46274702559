const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;

/** The pauses before the tries of a delivery, as the specification of Standard Webhooks 1.0.0 recommends them. */
const pausesMs = [
  0,
  5 * secondMs,
  5 * minuteMs,
  30 * minuteMs,
  2 * hourMs,
  5 * hourMs,
  10 * hourMs,
  14 * hourMs,
  20 * hourMs,
  24 * hourMs,
];

// The tries of deliveries that failed together are spread over this share of their pause. Lower: a receiver that
// comes back gets all at once. Higher: the promised schedule is not kept.
const jitter = 0.2;
// Longer: a receiver can put off its deliveries for longer than they are kept.
const maxPauseMs = 24 * hourMs;

/**
 * Returns the pause before the next try, after so many; undefined if that was the last one. `random` is from 0 to 1.
 * A receiver can ask for a longer pause, up to a day.
 */
export function pauseAfter(
  tries: number,
  random: number,
  retryAfterMs: number | undefined,
): number | undefined {
  const pauseMs = pausesMs[tries];
  if (pauseMs === undefined) return undefined;
  const asked = Math.min(maxPauseMs, retryAfterMs ?? 0);
  return Math.round(Math.max(asked, pauseMs * (1 + jitter * random)));
}
