import { dayMs, hourMs, minuteMs } from '#time/durations.ts';
import type { PartitionBy } from './units.ts';

/** What decides when log events expire. */
export interface ExpiryFacts {
  partitionBy: PartitionBy;
  /** Null: they never do. */
  retentionDays: number | null;
  /** When the log group was deleted; null while it exists. */
  goneAt: number | null;
  now: number;
}

// Finer: each look at a partition that expires writes a loss. Coarser: more of it is neither exported nor lost for
// some time.
const stepOf = (partitionBy: PartitionBy) => (partitionBy === 'hour' ? minuteMs : hourMs);

/** The instant before which all log events have expired. */
function expiryLimit({ retentionDays, goneAt, now }: Omit<ExpiryFacts, 'partitionBy'>): number {
  return retentionDays === null ? -Infinity : Math.min(now, goneAt ?? now) - retentionDays * dayMs;
}

/** Until when time is lost because it has expired: in whole hours, or minutes for partitions of an hour. */
export function lostUntil(facts: ExpiryFacts): number {
  const stepMs = stepOf(facts.partitionBy);
  return Math.floor(expiryLimit(facts) / stepMs) * stepMs;
}

/** From when time can be exported: nothing of it has expired. */
export function exportableFrom(facts: ExpiryFacts): number {
  const stepMs = stepOf(facts.partitionBy);
  return Math.ceil(expiryLimit(facts) / stepMs) * stepMs;
}
