import type { Selectable } from 'kysely';

import type { ArchiveLogGroupRow } from '#database/rows/archive-rows.ts';
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

/** The retention of a log group, and its last change. */
type KnownRetention = Pick<
  Selectable<ArchiveLogGroupRow>,
  'retentionDays' | 'formerRetentionDays' | 'formerSeenAt' | 'retentionFoundAt'
>;

/** The retention at an instant. It is the shorter one between the listings around its last change. */
export function retentionAt(
  { retentionDays, formerRetentionDays, formerSeenAt, retentionFoundAt }: KnownRetention,
  at: number,
): number | null {
  if (retentionFoundAt === null || at >= retentionFoundAt) return retentionDays;
  if (at <= (formerSeenAt ?? -Infinity)) return formerRetentionDays;
  const shorter = Math.min(retentionDays ?? Infinity, formerRetentionDays ?? Infinity);
  return shorter === Infinity ? null : shorter;
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
  return wholeFrom(expiryLimit(facts), facts.partitionBy);
}

/** The start of the first whole hour from an instant on, or minute for partitions of an hour. */
export function wholeFrom(at: number, partitionBy: PartitionBy): number {
  const stepMs = stepOf(partitionBy);
  return Math.ceil(at / stepMs) * stepMs;
}
