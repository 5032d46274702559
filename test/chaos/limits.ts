import type { AwsTimeouts } from '#aws/cloudwatch-logs.ts';
import type { DispatcherLimits } from '#export-jobs/dispatcher/limits.ts';

/** How long AWS may take: the emulator is next door. */
export const chaosTimeouts: AwsTimeouts = { connectMs: 150, createMs: 350, readMs: 500 };

/** What production waits minutes for takes seconds here; the proportions are its own. */
export const chaosLimits: DispatcherLimits = {
  leaseMs: 1_500,
  createDeadlineMs: chaosTimeouts.connectMs + chaosTimeouts.createMs,
  settleMs: 1_500,
  looks: 3,
  lookEveryMs: 200,
  askEveryMs: 50,
  idleMs: 100,
  sweepEveryMs: 500,
  sweepBackMs: 60_000,
  retryAfterMs: [200, 500],
};
