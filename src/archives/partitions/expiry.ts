import { longestUnitMs, nextStart, type PartitionBy, startOf } from '#coverage/ledger/units.ts';
import { awsLimits } from '#problems/limits.ts';
import { dayMs, hourMs } from '#time/durations.ts';
import type { Window } from '#time/window.ts';

/**
 * The instant from which the partition that contains `at` is due: all log events of its calendar unit are
 * exportable. A part of a unit is due with its unit. Otherwise it would count as late before the queue takes it.
 */
export function dueAtOf(at: number, partitionBy: PartitionBy): number {
  return nextStart(at, partitionBy) + awsLimits.settlingMs;
}

/** The instant at which the first log events of a partition are deleted. Null retention: never, Infinity. */
export function expiryOf({ fromAt }: Pick<Window, 'fromAt'>, retentionDays: number | null): number {
  return retentionDays === null ? Infinity : fromAt + retentionDays * dayMs;
}

// Shorter: somebody who sees the alert in the morning is too late. Longer: alerts about exports that are
// only next in the queue.
const shortestMarginMs = 24 * hourMs;
const shareOfRetention = 0.1;

/**
 * How long before its expiry a partition counts as at risk, in ms: 24 hours or 10 % of the retention, but at
 * most half of the time between when it is due and its expiry. A retention that ends before partitions are due
 * has no such time; then the margin is not shortened.
 */
export function marginOf(partitionBy: PartitionBy, retentionDays: number): number {
  const retentionMs = retentionDays * dayMs;
  const usableMs = retentionMs - longestUnitMs[partitionBy] - awsLimits.settlingMs;
  const marginMs = Math.max(shortestMarginMs, shareOfRetention * retentionMs);
  return usableMs > 0 ? Math.min(marginMs, usableMs / 2) : marginMs;
}

/** The end of the last calendar unit whose partitions are due at `now`, whole or in part. */
export function lastDueEnd(now: number, partitionBy: PartitionBy): number {
  return startOf(now - awsLimits.settlingMs, partitionBy);
}

/** What the expiry of the partitions of a log group depends on. */
interface Retention {
  partitionBy: PartitionBy;
  /** Null: log events are kept for ever. */
  retentionDays: number | null;
}

/** A partition that is not covered is at risk at `now` if it starts at this instant or before. */
export function lastRiskyStart({ partitionBy, retentionDays }: Retention, now: number): number {
  if (retentionDays === null) return -Infinity;
  return now + marginOf(partitionBy, retentionDays) - retentionDays * dayMs;
}
