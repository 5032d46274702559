import { awsTimeouts } from '#aws/client/timeouts.ts';
import { statedLimits } from '#problems/limits.ts';

/** The times and counts the dispatcher goes by, in milliseconds. */
export interface DispatcherLimits {
  leaseMs: number;
  createDeadlineMs: number;
  reconcileMs: number;
  listingIntervalMs: number;
  looks: number;
  pollIntervalMs: number;
  idleMs: number;
  sweepIntervalMs: number;
  sweepBackMs: number;
  retryAfterMs: readonly number[];
  resendAfterMs: readonly number[];
}

/** What production goes by; tests have shorter ones. */
export const dispatcherLimits: DispatcherLimits = {
  // Shorter, and a slow database or a long create loses the slot for nothing; longer, and a slot
  // whose owner was killed stands still.
  leaseMs: 30_000,
  // After this a create that we sent cannot be on its way any more, as far as we can tell.
  createDeadlineMs: awsTimeouts.createMs + awsTimeouts.connectMs,
  reconcileMs: statedLimits.lateEffectMs,
  // Whole listings without the task that it takes to call it absent, and how far they are apart.
  looks: 3,
  listingIntervalMs: 10_000,
  // AWS takes five describes a second per account and Region, from everybody together.
  pollIntervalMs: 1_000,
  // How soon a job that another replica accepted is seen.
  idleMs: 1_000,
  // An orphan is found within a minute: a sweep may have to wait some seconds for a gap.
  sweepIntervalMs: 50_000,
  // How far back the sweeper looks for tasks of ours that it does not know: well beyond reconcileMs.
  sweepBackMs: 300_000,
  // Pauses before a failed slice is tried again by itself; after that it stays failed.
  retryAfterMs: [30_000, 120_000],
  // Pauses before a slice is sent again of which AWS made no task; after that it is failed. Fewer or
  // shorter, and an hour in which AWS takes no creates fails slices; more, and its caller waits for
  // hours to hear that it does not work.
  resendAfterMs: [5_000, 120_000, 600_000, 1_800_000, 3_600_000],
};
