import { awsTimeouts } from '#aws/client/timeouts.ts';
import { statedLimits } from '#problems/limits.ts';
import type { BackOffLimits } from '#time/back-off.ts';
import { maxPutOffMs } from '../store/verifications/due-verifications.ts';

/** The times of the dispatcher, in milliseconds, and its counts. */
export interface DispatcherTimings {
  leaseMs: number;
  createDeadlineMs: number;
  preflightMs: number;
  reconcileMs: number;
  absentListings: number;
  listingIntervalMs: number;
  secondMs: number;
  idleMs: number;
  sweepIntervalMs: number;
  sweepBackMs: number;
  sweepAfterSendMs: number;
  takeOverMs: number;
  standBackPauses: BackOffLimits;
  retryAfterMs: readonly number[];
  resendAfterMs: readonly number[];
  secondLookMs: number;
  verifyAgainAfter: BackOffLimits;
}

/** The timings in production. Tests have shorter ones. */
export const dispatcherTimings: DispatcherTimings = {
  // Shorter: a slow database or a long create loses the slot for nothing. Longer: a slot whose owner
  // was killed stands still.
  leaseMs: 30_000,
  // After this time a create of ours is no longer on its way, as far as we can tell.
  createDeadlineMs: awsTimeouts.createMs + awsTimeouts.connectMs,
  // How long the first slice of a job waits for a look at its destination. Shorter: a bucket that does not exist
  // is found by a create. Longer: the slot waits while S3 is slow.
  preflightMs: 2_000,
  reconcileMs: statedLimits.lateEffectMs,
  // How many whole listings must lack a task before it counts as absent, and how far they are apart.
  absentListings: 3,
  listingIntervalMs: 10_000,
  // The second of the pace: calls are counted per second, and the poll policy is in seconds.
  secondMs: 1_000,
  // How often a process looks for work, so how soon it notices a job that another replica has accepted.
  idleMs: 1_000,
  // Less than a minute, so that an orphan is found within a minute: a sweep may wait some seconds for
  // a gap.
  sweepIntervalMs: 50_000,
  // How far back a sweep lists tasks. It must be well above reconcileMs.
  sweepBackMs: 300_000,
  // How long after a create orphans are looked for. It must be well above reconcileMs. Longer: a target
  // that has no work costs calls to AWS for longer.
  sweepAfterSendMs: 600_000,
  // How long a replica leaves a free slot to the one before it in the order. Shorter: a slot goes to
  // another replica only because its own was busy for a moment. Longer: it stands still if that one
  // cannot work it.
  takeOverMs: 2_000,
  // How long a replica that could not work a slot lets others go first, the first time and at most. Shorter: the
  // slot goes back to a replica that still cannot work it. Longer: one short outage keeps the shares uneven.
  standBackPauses: { firstMs: 600_000, maxMs: 4_800_000 },
  // The pauses before a failed slice is tried again. After the last one it stays failed.
  retryAfterMs: [30_000, 120_000],
  // The pauses before a slice is sent again for which AWS created no task. After the last one it is
  // failed. Fewer or shorter: an hour without creates at AWS fails slices. More: its caller waits for
  // hours to learn that it does not work.
  resendAfterMs: [5_000, 120_000, 600_000, 1_800_000, 3_600_000],
  // For how long objects may appear after their task is COMPLETED. AWS does not document it. Shorter: an
  // export whose objects are late is repeated for nothing. Longer: empty slices complete later.
  secondLookMs: 5_000,
  // The pauses after a verification that AWS did not answer. Shorter: calls that fail for nothing. Longer:
  // after an outage, slices stay unverified.
  verifyAgainAfter: { firstMs: 2_000, maxMs: maxPutOffMs / 2 },
};
