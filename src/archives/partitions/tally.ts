import { countUnits, type PartitionBy } from '#coverage/ledger/units.ts';
import { type PartitionState, partitionStates } from '../archive.ts';
import { dueAtOf, expiryOf } from './expiry.ts';
import type { PartitionRun } from './runs.ts';

/** What is known of the partitions of all log groups that were tallied. Instants are epoch ms. */
export interface Tally {
  partitions: Record<PartitionState, number>;
  /** Covered partitions without log events. */
  emptyPartitions: number;
  /** Partitions that are not covered and whose last export failed. */
  failed: number;
  /** Covered partitions whose second export has failed for the last time. */
  failedRepeats: number;
  /** Since when the partition that waits longest has been due; null if none is. */
  dueSinceAt: number | null;
  /** The start of the first partition that is neither covered nor waived; Infinity if there is none. */
  firstOpenAt: number;
  /** The start of the first time that is lost and not waived; Infinity if there is none. */
  firstLostAt: number;
  nextExpiryAt: number | null;
  nextExpiryOf: string | null;
  /** Log groups with partitions at risk. */
  atRiskOf: Set<string>;
}

/** Makes the tally of no log group. */
export function makeTally(): Tally {
  const partitions = Object.fromEntries(partitionStates.map((state) => [state, 0]));
  return {
    partitions: partitions as Record<PartitionState, number>,
    emptyPartitions: 0,
    failed: 0,
    failedRepeats: 0,
    dueSinceAt: null,
    firstOpenAt: Infinity,
    firstLostAt: Infinity,
    nextExpiryAt: null,
    nextExpiryOf: null,
    atRiskOf: new Set(),
  };
}

/** What the tally of a log group depends on. */
interface TalliedLogGroup {
  logGroupName: string;
  retentionDays: number | null;
  goneAt: number | null;
  covered: number;
  empty: number;
  lost: number;
  waived: number;
  firstLostAt: number | null;
}

const settled = new Set<PartitionState>(['covered', 'lost', 'waived']);

/**
 * Adds the partitions of a log group to a tally: those in the ledger by its counts, the others by their runs.
 */
export function addToTally(
  tally: Tally,
  group: TalliedLogGroup,
  runs: Iterable<PartitionRun>,
  { partitionBy, now }: { partitionBy: PartitionBy; now: number },
): void {
  const { partitions } = tally;
  partitions.covered += group.covered;
  partitions.lost += group.lost;
  partitions.waived += group.waived;
  tally.emptyPartitions += group.empty;
  tally.firstLostAt = Math.min(tally.firstLostAt, group.firstLostAt ?? Infinity);
  let isFirst = true;
  for (const run of runs) {
    if (settled.has(run.state)) continue;
    const count = countUnits(run, partitionBy);
    partitions[run.state] += count;
    if (run.problem !== undefined) tally.failed += count;
    if (run.state === 'atRisk') tally.atRiskOf.add(group.logGroupName);
    const dueAt = dueAtOf(run.fromAt, partitionBy);
    if (dueAt <= now) tally.dueSinceAt = Math.min(tally.dueSinceAt ?? dueAt, dueAt);
    if (!isFirst) continue;
    isFirst = false;
    tally.firstOpenAt = Math.min(tally.firstOpenAt, run.fromAt);
    const expiryAt = expiryOf(run, group.retentionDays);
    if (group.goneAt !== null || expiryAt >= (tally.nextExpiryAt ?? Infinity)) continue;
    tally.nextExpiryAt = expiryAt;
    tally.nextExpiryOf = group.logGroupName;
  }
}
