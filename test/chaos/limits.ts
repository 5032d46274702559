import type { AwsTimeouts } from '#aws/client/timeouts.ts';
import type { DispatcherLimits } from '#export-jobs/dispatcher/limits.ts';

/** How long AWS may take: the emulator is next door, on a machine with a lot to do. */
export const chaosTimeouts: AwsTimeouts = { connectMs: 200, createMs: 600, readMs: 1_000 };

/** What production waits minutes for takes seconds here; the proportions are its own. */
export const chaosLimits: DispatcherLimits = {
  leaseMs: 2_000,
  createDeadlineMs: chaosTimeouts.connectMs + chaosTimeouts.createMs,
  reconcileMs: 2_000,
  absentListings: 3,
  listingIntervalMs: 200,
  pollIntervalMs: 50,
  idleMs: 100,
  sweepIntervalMs: 500,
  sweepBackMs: 60_000,
  retryAfterMs: [200, 500],
  resendAfterMs: [100, 500, 1_000, 2_000, 2_000],
};

/** How long a replica is frozen: its slots are another's by then. */
export const pauseMs = 1.5 * chaosLimits.leaseMs;
