import { dayMs } from '#time/durations.ts';

// The tries of deliveries that failed together are spread over this share of their pause. Lower: a receiver that
// comes back gets all at once. Higher: the promised schedule is not kept.
const jitter = 0.2;
// Longer: a receiver can put off its deliveries for longer than they are kept.
const maxAskedMs = dayMs;

/** What the pause before the next try depends on. */
interface PauseFacts {
  /** How often the delivery was tried. */
  tries: number;
  pausesMs: readonly number[];
  /** From 0 to 1. */
  random: number;
  /** The pause that the receiver asks for. It can be longer than planned, up to a day. */
  retryAfterMs: number | undefined;
}

/** Returns the pause before the next try; undefined if the last one was the last. */
export function pauseBeforeNext({
  tries,
  pausesMs,
  random,
  retryAfterMs = 0,
}: PauseFacts): number | undefined {
  const pauseMs = pausesMs[tries];
  if (pauseMs === undefined) return undefined;
  return Math.round(Math.max(Math.min(maxAskedMs, retryAfterMs), pauseMs * (1 + jitter * random)));
}
