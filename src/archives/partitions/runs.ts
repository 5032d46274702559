import type { LedgerRange } from '#coverage/ledger/splice.ts';
import { nextStart, type PartitionBy, startOf } from '#coverage/ledger/units.ts';
import { dayMs } from '#time/durations.ts';
import { commonPart, type Window } from '#time/window.ts';
import type { PartitionState } from '../archive.ts';
import { lastDueEnd, lastRiskyStart } from './expiry.ts';
import { gapsOf } from './gaps.ts';
import type { WantedWindow } from './wanted.ts';

/** A partition in the queue, or one that failed. */
export interface PartitionWork extends Window {
  state: 'queued' | 'missing';
  /** The export job; null if there is none, or not any more. */
  jobId: string | null;
  /** With `queued`: whether the export has begun. */
  isRunning: boolean;
  /** Why it failed last, as JSON; null if it has not failed. It is kept in the queue. */
  problem: string | null;
  retryAt: number | null;
}

/** What is known of an incarnation of a log group in an archive. */
interface IncarnationFacts {
  partitionBy: PartitionBy;
  retentionDays: number | null;
  /** Of the archive: how far back it exports on its own what was missed. Null: without limit. */
  catchUpDays: number | null;
  /** When the archive was ended; null while it is not. */
  endedAt: number | null;
  now: number;
  wanted: readonly WantedWindow[];
  /** Of the ledger, in the order of time. */
  ranges: readonly LedgerRange[];
  /** In the order of time. */
  work: readonly PartitionWork[];
}

/** Neighbouring partitions of a log group that have the same state, for the same reasons. */
export interface PartitionRun extends Window {
  state: PartitionState;
  /** With `covered`: whether the exports contain no log events. */
  isEmpty?: boolean;
  /** With `covered`: false if it will be exported again. True if a second export has failed for the last time. */
  isFinal?: boolean;
  /** With `lost`: the cause. With `waived`: the number of the waiver. */
  cause?: string;
  /** With `waiting`, `running`, `missing` and `atRisk`, and with `problem`: the export job, if there is one. */
  jobId?: string;
  /** With `missing`, `waiting` and `atRisk`: why the last export failed, as JSON. With `covered`: the second one. */
  problem?: string;
  /** With `problem`: when it is tried again. Absent if it is not. */
  retryAt?: number;
}

/**
 * Yields the states of an incarnation in a window as runs, lazily, the oldest first: neighbours differ. Time that
 * is neither wanted nor in the ledger is in no run. The last period is the one that contains `now`. After the
 * end of an archive nothing is exported any more: what is not covered by then is `missing`.
 */
export function* runsOf(facts: IncarnationFacts, window: Window): Generator<PartitionRun> {
  let last: PartitionRun | undefined;
  for (const run of allRuns(facts, window)) {
    const part = commonPart(run, window);
    if (!part) continue;
    if (last && isContinued(last, { ...run, ...part })) {
      last.toAt = part.toAt;
      continue;
    }
    if (last) yield last;
    last = { ...run, ...part };
  }
  if (last) yield last;
}

/** Yields the runs that meet a window, whole periods of them, unmerged. */
function* allRuns(facts: IncarnationFacts, { fromAt, toAt }: Window): Generator<PartitionRun> {
  const { partitionBy, now, endedAt, wanted, ranges, work } = facts;
  const untilAt = endedAt === null ? nextStart(now, partitionBy) : startOf(endedAt, partitionBy);
  // Whole periods: whether a partition is due depends on its ends.
  const within = {
    fromAt: startOf(fromAt, partitionBy),
    toAt: toAt < untilAt ? nextStart(toAt - 1, partitionBy) : untilAt,
  };
  const known = ranges[Symbol.iterator]();
  let range = known.next();
  const left = [...work];
  for (const gap of gapsOf(wanted, ranges, within)) {
    for (; !range.done && range.value.fromAt < gap.fromAt; range = known.next())
      yield* runsOfRange(range.value, left);
    yield* runsOfGap(facts, gap, left);
  }
  for (; !range.done; range = known.next()) yield* runsOfRange(range.value, left);
}

/**
 * Yields the runs of a range of the ledger. Partitions of it whose second export failed are runs of their own. Takes
 * the work of this time from the front of `left`.
 */
function* runsOfRange(range: LedgerRange, left: PartitionWork[]): Generator<PartitionRun> {
  let { fromAt } = range;
  for (let [row] = left; row && row.fromAt < range.toAt; [row] = left) {
    if (row.toAt > range.toAt) break;
    left.shift();
    if (!isFailedRepeat(row, [range])) continue;
    if (row.fromAt > fromAt) yield toRun({ ...range, fromAt, toAt: row.fromAt });
    const { fromAt: startAt, toAt, retryAt } = row;
    const part = toRun({ ...range, fromAt: startAt, toAt });
    yield { ...part, isFinal: retryAt === null, ...detailsOf(row) };
    fromAt = toAt;
  }
  if (fromAt < range.toAt) yield toRun({ ...range, fromAt });
}

/** Whether a partition is one whose second export failed: it is covered. */
export function isFailedRepeat(
  { state, fromAt, toAt }: Pick<PartitionWork, 'state' | keyof Window>,
  ranges: readonly LedgerRange[],
): boolean {
  const isAgain = (range: LedgerRange) =>
    range.again !== null && range.fromAt <= fromAt && range.toAt >= toAt;
  return state === 'missing' && ranges.some(isAgain);
}

/** The run of a range of the ledger. */
export function toRun({ fromAt, toAt, state, isEmpty, again, cause }: LedgerRange): PartitionRun {
  return {
    fromAt,
    toAt,
    state,
    ...(state === 'covered' && { isEmpty: isEmpty === 1, isFinal: again === null }),
    ...(cause !== null && { cause }),
  };
}

/** Yields the runs of a time that is in no range. Takes the work of this time from the front of `left`. */
function* runsOfGap(
  facts: IncarnationFacts,
  { toAt, order, ...gap }: WantedWindow,
  left: PartitionWork[],
): Generator<PartitionRun> {
  let { fromAt } = gap;
  for (let [row] = left; row && row.fromAt < toAt; [row] = left) {
    const part = commonPart(row, { fromAt, toAt });
    if (part) {
      yield* runsWithoutWork(facts, { fromAt, toAt: part.fromAt, order });
      yield { ...part, ...stateOfWork(facts, row, part) };
      fromAt = part.toAt;
    }
    if (row.toAt > toAt) break;
    left.shift();
  }
  yield* runsWithoutWork(facts, { fromAt, toAt, order });
}

function stateOfWork(
  facts: IncarnationFacts,
  row: PartitionWork,
  part: Window,
): Omit<PartitionRun, keyof Window> {
  const { state, isRunning } = row;
  const details = detailsOf(row);
  if (state === 'queued' && isRunning) return { state: 'running', ...details };
  const isAtRisk = facts.endedAt === null && part.fromAt <= lastRiskyStart(facts, facts.now);
  if (isAtRisk) return { state: 'atRisk', ...details };
  return { state: state === 'queued' ? 'waiting' : 'missing', ...details };
}

function detailsOf({ state, jobId, problem, retryAt }: PartitionWork) {
  const hasFailed = state === 'missing'; // in the queue, it keeps the problem of its last failure
  return {
    ...(jobId !== null && { jobId }),
    ...(hasFailed && problem !== null && { problem }),
    ...(hasFailed && retryAt !== null && { retryAt }),
  };
}

/**
 * Yields the runs of a time for which there is nothing in the queue. From the oldest to the newest partition
 * the states are: older than the archive catches up, at risk, due, not yet due.
 */
function* runsWithoutWork(facts: IncarnationFacts, part: WantedWindow): Generator<PartitionRun> {
  const { partitionBy, catchUpDays, endedAt, now } = facts;
  let { fromAt } = part;
  /** The end of the last partition of a unit that ends at an instant or before it. */
  const endsBy = (at: number) => Math.min(part.toAt, startOf(at, partitionBy));
  /** The end of the last partition that starts at an instant or before it. */
  const startsBy = (at: number) =>
    at < part.fromAt ? part.fromAt : Math.min(part.toAt, nextStart(at, partitionBy));
  const isLimited = part.order === null && catchUpDays !== null;
  const bounds: [PartitionState, number][] =
    endedAt === null
      ? [
          ['missing', isLimited ? endsBy(now - catchUpDays * dayMs) : fromAt],
          ['atRisk', startsBy(lastRiskyStart(facts, now))],
          ['waiting', endsBy(lastDueEnd(now, partitionBy))],
          ['open', part.toAt],
        ]
      : [['missing', part.toAt]];
  for (const [state, toAt] of bounds) {
    if (toAt > fromAt) yield { fromAt, toAt, state };
    fromAt = Math.max(fromAt, toAt);
  }
}

/** Whether a run goes on in the next one: together they are one run. */
export function isContinued(one: PartitionRun, other: PartitionRun): boolean {
  return (
    one.toAt === other.fromAt &&
    one.state === other.state &&
    one.isEmpty === other.isEmpty &&
    one.isFinal === other.isFinal &&
    one.cause === other.cause &&
    one.jobId === other.jobId &&
    one.problem === other.problem &&
    one.retryAt === other.retryAt
  );
}
