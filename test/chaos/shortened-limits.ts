import type { KeeperTimings } from '#archives/keeper/timings.ts';
import type { AwsTimeouts } from '#aws/client/timeouts.ts';
import type { DispatcherTimings } from '#export-jobs/dispatcher/timings.ts';
import type { NotificationTimings } from '#notifications/timings.ts';

/** Timeouts of calls to the emulator, which runs on the same busy machine. */
export const chaosTimeouts: AwsTimeouts = { connectMs: 200, createMs: 600, readMs: 1_000 };

/** Limits in seconds instead of the minutes of production. */
export const chaosLimits: DispatcherTimings = {
  leaseMs: 2_000,
  createDeadlineMs: chaosTimeouts.connectMs + chaosTimeouts.createMs,
  preflightMs: 500,
  reconcileMs: 2_000,
  absentListings: 3,
  listingIntervalMs: 200,
  secondMs: 50,
  idleMs: 100,
  sweepIntervalMs: 500,
  sweepBackMs: 60_000,
  sweepAfterSendMs: 60_000,
  takeOverMs: 200,
  standBackPauses: { firstMs: 40_000, maxMs: 40_000 },
  retryAfterMs: [200, 500],
  resendAfterMs: [100, 500, 1_000, 2_000, 2_000],
  secondLookMs: 200,
  verifyAgainAfter: { firstMs: 100, maxMs: 2_000 },
};

/** The same for the keeper of archives. A look lasts for some hundred milliseconds on a busy machine. */
export const chaosKeeperTimings: KeeperTimings = {
  pollMs: 200,
  leaseMs: 2_000,
  lookEveryMs: 1_000,
  listEveryMs: 2_000,
  checkEveryMs: 1_000,
  heartbeatEveryMs: 1_000,
  refusedForMs: 1_000,
  retryAfterMs: [500, 1_000, 2_000],
  looksAtOnce: 4,
};

/** How long a replica is frozen: long enough for another one to take its slots. */
export const pauseMs = 1.5 * chaosLimits.leaseMs;

/** The timings of notifications: a delivery is tried again soon, and as often as a receiver fails. */
export const chaosNotificationTimings: NotificationTimings = {
  pollMs: 200,
  leaseMs: 3_000,
  pausesMs: Array.from({ length: 30 }, () => 200),
};
