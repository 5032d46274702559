import type { PartitionBy } from '#coverage/ledger/units.ts';
import type { Window } from '#time/window.ts';
import { gapsOf } from './gaps.ts';
import type { WantedWindow } from './wanted.ts';

/** Why log events can no longer be exported. */
export type LossCause = 'retention' | 'log-group-deleted';

/** A time of a log group that can no longer be exported. */
export interface Loss extends Window {
  cause: LossCause;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** What decides when log events expire. */
interface ExpiryFacts {
  partitionBy: PartitionBy;
  /** Null: they never do. */
  retentionDays: number | null;
  /** When the log group was deleted; null while it exists. */
  goneAt: number | null;
  now: number;
}

/**
 * The instant before which all log events have expired, in whole hours, or minutes for partitions of an hour.
 * Finer: each look at a partition that expires writes a loss. Coarser: what has expired is still exported.
 */
export function expiredUntil({ partitionBy, retentionDays, goneAt, now }: ExpiryFacts): number {
  if (retentionDays === null) return -Infinity;
  const stepMs = partitionBy === 'hour' ? minuteMs : hourMs;
  return Math.floor((Math.min(now, goneAt ?? now) - retentionDays * dayMs) / stepMs) * stepMs;
}

/**
 * Yields the wanted time that can no longer be exported, the oldest first. `known` has the ranges of the ledger and
 * the windows of exports that go on, in the order of time. Before `openFrom` everything wanted is in a range.
 */
export function* lossesOf(
  facts: ExpiryFacts & { wanted: readonly WantedWindow[]; openFrom: number },
  known: readonly Window[],
): Generator<Loss> {
  const { wanted, goneAt, openFrom } = facts;
  const expiredAt = Math.max(openFrom, expiredUntil(facts));
  const within = (fromAt: number, toAt: number) =>
    fromAt < toAt ? gapsOf(wanted, known, { fromAt, toAt }) : [];
  for (const { fromAt, toAt } of within(openFrom, expiredAt))
    yield { fromAt, toAt, cause: 'retention' };
  if (goneAt === null) return;
  for (const { fromAt, toAt } of within(expiredAt, goneAt))
    yield { fromAt, toAt, cause: 'log-group-deleted' };
}
