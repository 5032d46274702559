import { exportableFrom } from '#coverage/ledger/exportable.ts';
import type { Queries } from '#database/database.ts';
import type { Window } from '#time/window.ts';
import { type DuePartition, dueOf, riskOf } from '../../partitions/due.ts';
import { gapsOf } from '../../partitions/gaps.ts';
import { type Loss, lossesOf } from '../../partitions/losses.ts';
import { isFailedRepeat } from '../../partitions/runs.ts';
import { isSelected } from '../../partitions/selection.ts';
import type { WantedOf, WantedWindow } from '../../partitions/wanted.ts';
import type {
  LogGroupCursor,
  LogGroupLedger,
  MissingPartition,
} from '../../store/log-groups/read-ledger.ts';
import type { KeptArchive } from '../../store/looks/claim-look.ts';
import { isWaitingJob, type QueuedPartition } from '../../store/partitions/read-queued.ts';
import { isExporting } from '../look.ts';
import { reachOf } from '../queue/refusal.ts';
import type { OpenBackfills } from './open-backfills.ts';

/** What there is to do about a log group. */
export interface Assessment {
  wanted: readonly WantedWindow[];
  /** Everything wanted before it is in a range. */
  openFrom: number;
  /** What the log group should have as `doneUntilAt`; null if nothing better than it has is known. */
  doneUntilAt: number | null;
  /** Partitions in the queue whose export must not start as it is. */
  stale: QueuedPartition[];
  /** Those that wait and are not at risk: others may take their place. */
  displaceable: (DuePartition & { row: QueuedPartition })[];
  /** Time that can no longer be exported. */
  losses: Loss[];
  /** Failed partitions that are no longer open as a whole, and what is left of each. */
  shrunk: { row: MissingPartition; rest: Window | undefined }[];
  /** Failed partitions that are to be tried again now. */
  retries: (DuePartition & { row: MissingPartition })[];
  /** Covered partitions whose second export has failed for the last time. */
  failedRepeats: MissingPartition[];
  /** Partitions that have not been tried. */
  due: DuePartition[];
  /** Whether AWS refuses its exports: one partition of it is tried at a time, and those at risk. */
  isRefused: boolean;
  /** The wanted time that keeps a backfill open, the oldest first. */
  openGaps: () => Iterable<Window>;
}

/** A log group and what there is to do about it. */
export interface AssessedLogGroup {
  group: LogGroupLedger;
  queued: QueuedPartition[];
  assessment: Assessment;
}

/** Reads and assesses the log groups of a page, with these partitions in the queue. */
export type ReadAssessed = (
  queries: Queries,
  queued: readonly QueuedPartition[],
) => Promise<AssessedLogGroup[]>;

/** What the assessment of a log group depends on beside its ledger. */
export interface AssessmentFacts {
  archive: KeptArchive;
  wantedOf: WantedOf;
  openBackfills: OpenBackfills;
  /** Whether a backfill has not ended. */
  isBackfilled: boolean;
  now: number;
  /** The priority of exports at risk, and whether the policies permit it for a partition. */
  raisedPriority: number;
  mayRaise: (row: QueuedPartition) => boolean;
  /** The most partitions that are of interest. */
  limit: number;
}

/** Assesses a log group. `queued` has its partitions in the queue. */
export function assessLogGroup(
  group: LogGroupLedger,
  queued: readonly QueuedPartition[],
  facts: AssessmentFacts,
): Assessment {
  const { archive, isBackfilled, now, limit } = facts;
  const { definition } = archive;
  const { partitionBy, catchUpDays } = definition;
  // Nothing is known of one that the archive no longer selects: it is not listed.
  const isWanted = isSelected(definition, group.logGroupName);
  const wanted = isWanted ? facts.wantedOf(group) : [];
  // A new backfill can want time before it.
  const openFrom = isBackfilled ? -Infinity : (group.doneUntilAt ?? -Infinity);
  const time = { ...group, partitionBy, now, wanted, openFrom };
  const exportableAt = exportableFrom(time);
  /** The parts of a partition that can still be exported: again, or for the first time. */
  const partsOf = ({ fromAt, toAt }: Window): Window[] => {
    const isAgain = group.again.some((range) => range.fromAt <= fromAt && range.toAt >= toAt);
    if (isAgain) return fromAt >= exportableAt ? [{ fromAt, toAt }] : [];
    const from = Math.max(fromAt, openFrom, exportableAt);
    if (from >= toAt) return [];
    return [...gapsOf(wanted, group.ranges, { fromAt: from, toAt })];
  };
  const isThere = group.goneAt === null;
  const isWhole = (window: Window) =>
    isWanted && isThere && lengthOf(partsOf(window)) === window.toAt - window.fromAt;

  const waiting = queued.filter(({ job }) => job && isWaitingJob(job));
  const stale = waiting.filter(
    (row) =>
      !isExporting(archive) ||
      !isWhole(row) ||
      !fitsDefinition(row, facts, riskOf(time, row).isAtRisk),
  );
  const displaceable = waiting
    .filter((row) => !stale.includes(row))
    .map((row) => ({ ...keyAndWindow(row), order: null, ...riskOf(time, row), row }))
    .filter(({ isAtRisk }) => !isAtRisk);
  const staying = queued.filter((row) => !stale.includes(row));
  const known = inOrder([...group.ranges, ...staying]);
  // The retention was confirmed then. It can have become longer since.
  const losses = [...lossesOf({ ...time, now: Math.min(now, group.seenAt) }, known)];
  const shrunk = group.missing.flatMap((row) => {
    if (isWhole(row)) return [];
    const [first] = isWanted && isThere ? partsOf(row) : [];
    return [{ row, rest: first && { fromAt: first.fromAt, toAt: first.toAt } }];
  });
  const taken = inOrder([...known, ...group.missing]);
  const retries = group.missing
    .filter((row) => row.retryAt !== null && row.retryAt <= now && isWhole(row))
    .map((row) => ({ ...keyAndWindow(row), order: null, ...riskOf(time, row), row }));
  const tried = [...queued, ...group.missing.filter(({ retryAt }) => retryAt !== null)];
  const isRefused = tried.some(
    ({ problem }) => problem !== null && reachOf(JSON.parse(problem)) === 'logGroup',
  );
  const due = dueOf({ ...time, catchUpDays, taken }, limit).filter(
    ({ isAtRisk }) => isAtRisk || !isRefused,
  );
  const doneUntilAt = doneUntilOf(time, group, isBackfilled);
  // A partition that is not tried again keeps no backfill open.
  const ended = group.missing.filter(({ retryAt }) => retryAt === null);
  const failedRepeats = ended.filter((row) => isFailedRepeat(row, group.again) && isWhole(row));
  const openGaps = () =>
    gapsOf(wanted, inOrder([...group.ranges, ...ended]), { fromAt: -Infinity, toAt: Infinity });
  return {
    wanted,
    openFrom,
    doneUntilAt,
    stale,
    displaceable,
    losses,
    shrunk,
    retries,
    failedRepeats,
    due,
    isRefused,
    openGaps,
  };
}

/** The start of the first time that is wanted and in no range, if it is not what is recorded. */
function doneUntilOf(
  { wanted, openFrom }: { wanted: readonly WantedWindow[]; openFrom: number },
  { ranges, doneUntilAt }: LogGroupLedger,
  isBackfilled: boolean,
): number | null {
  const end = wanted.at(-1)?.toAt;
  if (end === undefined) return null;
  const [gap] = gapsOf(wanted, ranges, { fromAt: openFrom, toAt: Infinity });
  const at = gap?.fromAt ?? end;
  const isBetter = isBackfilled ? at !== doneUntilAt : at > (doneUntilAt ?? -Infinity);
  return isBetter ? at : null;
}

function keyAndWindow({
  logGroupName,
  incarnation,
  fromAt,
  toAt,
}: LogGroupCursor & Window): LogGroupCursor & Window {
  return { logGroupName, incarnation, fromAt, toAt };
}

/** Whether the job of a waiting partition is the one that the archive would put into the queue now. */
function fitsDefinition(
  row: QueuedPartition,
  { archive, raisedPriority, mayRaise }: AssessmentFacts,
  isAtRisk: boolean,
): boolean {
  const { destination, destinationPrefix, verification, priority } = archive.definition;
  const { job } = row;
  const isSame =
    job?.destination === destination &&
    job.destinationPrefix === destinationPrefix &&
    job.verification === verification &&
    (job.priority === priority || job.priority === raisedPriority);
  return isSame && !(isAtRisk && job.priority < raisedPriority && mayRaise(row));
}

const inOrder = <Part extends Window>(windows: Part[]): Part[] =>
  windows.sort((one, other) => one.fromAt - other.fromAt);

const lengthOf = (windows: readonly Window[]) =>
  windows.reduce((sum, { fromAt, toAt }) => sum + toAt - fromAt, 0);
