import { exportableFrom } from '#coverage/ledger/exportable.ts';
import { type PartitionBy, splitByUnit, startOf } from '#coverage/ledger/units.ts';
import { dayMs } from '#time/durations.ts';
import type { Window } from '#time/window.ts';
import { expiryOf, lastDueEnd, lastRiskyStart } from './expiry.ts';
import { gapsOf } from './gaps.ts';
import type { WantedWindow } from './wanted.ts';

/** A partition that can be exported now. */
export interface DuePartition extends Window {
  logGroupName: string;
  incarnation: number;
  /** When its first log events expire; Infinity if they never do. */
  expiryAt: number;
  isAtRisk: boolean;
  /** The order of the backfill that asks for it; null if none does. */
  order: WantedWindow['order'];
}

/** What decides which partitions of an incarnation can be exported. */
interface DueFacts {
  logGroupName: string;
  incarnation: number;
  partitionBy: PartitionBy;
  retentionDays: number | null;
  /** How far back partitions are exported without a backfill; null: all. */
  catchUpDays: number | null;
  goneAt: number | null;
  now: number;
  wanted: readonly WantedWindow[];
  /** What is known and what has been tried: ranges and partitions, in the order of time. */
  taken: readonly Window[];
  /** Everything wanted before it is in a range. */
  openFrom: number;
}

/**
 * Returns partitions of an incarnation that are due and not taken: the oldest ones, and the newest ones of
 * backfills that ask for them first, at most `limit` of each. Nothing can be exported from a log group that is
 * gone.
 */
export function dueOf(facts: DueFacts, limit: number): DuePartition[] {
  const { partitionBy, catchUpDays, goneAt, now, wanted, taken, openFrom } = facts;
  if (goneAt !== null) return [];
  const within = {
    fromAt: Math.max(openFrom, exportableFrom(facts)),
    toAt: lastDueEnd(now, partitionBy),
  };
  const caughtUpFrom =
    catchUpDays === null ? -Infinity : startOf(now - catchUpDays * dayMs, partitionBy);
  const oldest: DuePartition[] = [];
  const newest: DuePartition[] = [];
  for (const { order, ...gap } of gapsOf(wanted, taken, within)) {
    const fromAt = order === null ? Math.max(gap.fromAt, caughtUpFrom) : gap.fromAt;
    const due = { fromAt, toAt: gap.toAt };
    for (const window of firstUnits(due, partitionBy, limit - oldest.length))
      oldest.push(toDue(facts, window, order));
    if (order !== 'newest') continue;
    for (const window of lastUnits(due, partitionBy, limit))
      newest.push(toDue(facts, window, order));
  }
  const last = oldest.at(-1)?.fromAt ?? -Infinity;
  return [...oldest, ...newest.slice(-limit).filter(({ fromAt }) => fromAt > last)];
}

function firstUnits(window: Window, by: PartitionBy, limit: number): Window[] {
  return splitByUnit(window, by).take(Math.max(0, limit)).toArray();
}

function lastUnits({ fromAt, toAt }: Window, by: PartitionBy, limit: number): Window[] {
  const windows: Window[] = [];
  for (let at = toAt; at > fromAt && windows.length < limit; ) {
    const startAt = Math.max(fromAt, startOf(at - 1, by));
    windows.unshift({ fromAt: startAt, toAt: at });
    at = startAt;
  }
  return windows;
}

/** When the first log events of a partition expire, and whether that is near. */
export function riskOf(
  facts: Pick<DueFacts, 'partitionBy' | 'retentionDays' | 'now'>,
  window: Window,
): Pick<DuePartition, 'expiryAt' | 'isAtRisk'> {
  const isAtRisk = window.fromAt <= lastRiskyStart(facts, facts.now);
  return { expiryAt: expiryOf(window, facts.retentionDays), isAtRisk };
}

function toDue(
  facts: DueFacts,
  { fromAt, toAt }: Window,
  order: WantedWindow['order'],
): DuePartition {
  const { logGroupName, incarnation } = facts;
  return { logGroupName, incarnation, fromAt, toAt, order, ...riskOf(facts, { fromAt, toAt }) };
}

/** The order in which partitions are exported: a negative number if the first one goes first. */
export function byUrgency(one: DuePartition, other: DuePartition): number {
  return (
    Number(other.isAtRisk) - Number(one.isAtRisk) ||
    compare(one.expiryAt, other.expiryAt) ||
    timeKey(one) - timeKey(other) ||
    (one.logGroupName < other.logGroupName ? -1 : 1)
  );
}

/** Infinities are equal. */
const compare = (one: number, other: number) => (one === other ? 0 : one - other);

const timeKey = ({ order, fromAt }: DuePartition) => (order === 'newest' ? -fromAt : fromAt);
