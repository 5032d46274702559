import type { PartitionBy } from '#coverage/ledger/units.ts';
import type { Database, Queries } from '#database/database.ts';
import { readDurations } from '#export-jobs/store/reads/read-durations.ts';
import type { ArchiveDefinition } from '../archive.ts';
import { readPlannedExports } from '../store/reads/read-planned-exports.ts';

/** What the exports of an archive take of the time of the slot. */
export interface ArchiveLoad {
  exportsPerDay: number;
  /** The median duration of an export. */
  secondsPerExport: number;
  /** What the duration is known from. */
  basis: 'log-groups' | 'target' | 'assumed';
  /** The share of this archive, from 0 on; 1 is all the time. */
  slotShare: number;
  /** The share of all archives of the target together, with this one. */
  targetShare: number;
  /** The median of all exports of the target, in seconds. */
  secondsOfTarget: number;
}

/** The number of partitions of a log group in a day, on average. */
const partitionsPerDay: Record<PartitionBy, number> = {
  hour: 24,
  day: 1,
  week: 1 / 7,
  month: 12 / 365.25,
};

// Without a known export. Small log groups take seconds, large ones hours.
const assumedSeconds = 60;
// Fewer: one unusual day decides. More: the statement reads rows that say nothing of now.
const maxDurations = 200;
const secondsPerDay = 86_400;

/** How long an export takes, in seconds: the median of the latest ones. */
interface ExportDuration {
  seconds: number;
  basis: ArchiveLoad['basis'];
  /** The median of all exports of the target, in seconds. */
  secondsOfTarget: number;
}

/** Estimates how long an export of these log groups takes, from the exports of the target. */
export async function estimateDuration(
  database: Database,
  target: string,
  logGroupNames: readonly string[],
): Promise<ExportDuration> {
  const durations = await readDurations(database, target, maxDurations);
  const names = new Set(logGroupNames);
  const ofTarget = medianOf(durations);
  const ofLogGroups = medianOf(durations.filter(({ logGroupName }) => names.has(logGroupName)));
  const secondsOfTarget = ofTarget ?? assumedSeconds;
  if (ofLogGroups !== undefined)
    return { seconds: ofLogGroups, basis: 'log-groups', secondsOfTarget };
  const basis = ofTarget === undefined ? 'assumed' : 'target';
  return { seconds: secondsOfTarget, basis, secondsOfTarget };
}

/** Estimates the load of an archive over these log groups. */
export async function estimateLoad(
  database: Database,
  target: string,
  definition: ArchiveDefinition,
  logGroupNames: readonly string[],
  archiveId: string,
): Promise<ArchiveLoad> {
  const { seconds, basis, secondsOfTarget } = await estimateDuration(
    database,
    target,
    logGroupNames,
  );
  const exportsPerDay = exportsPerDayOf({ ...definition, logGroupCount: logGroupNames.length });
  const slotShare = (exportsPerDay * seconds) / secondsPerDay;
  const own = { exportsPerDay, secondsPerExport: seconds, basis, slotShare, secondsOfTarget };
  return addOtherArchives(database.queries, database, own, { target, archiveId });
}

/** Adds the load of the other archives of the target, as it is now. */
export async function addOtherArchives(
  queries: Queries,
  database: Pick<Database, 'kind'>,
  own: Omit<ArchiveLoad, 'targetShare'>,
  { target, archiveId }: { target: string; archiveId: string },
): Promise<ArchiveLoad> {
  const others = await readPlannedExports(queries, database, target);
  const exportsOfOthers = others
    .filter(({ id }) => id !== archiveId)
    .reduce((sum, other) => sum + exportsPerDayOf(other), 0);
  const shareOfOthers = (exportsOfOthers * own.secondsOfTarget) / secondsPerDay;
  return { ...own, targetShare: own.slotShare + shareOfOthers };
}

/** The number of exports of a day; a refresh is a second export of each partition. */
function exportsPerDayOf({
  partitionBy,
  refreshDays,
  logGroupCount,
}: Pick<ArchiveDefinition, 'partitionBy' | 'refreshDays'> & { logGroupCount: number }): number {
  return logGroupCount * partitionsPerDay[partitionBy] * (refreshDays > 0 ? 2 : 1);
}

/** The median in seconds. */
function medianOf(exports: readonly { durationMs: number }[]): number | undefined {
  if (exports.length === 0) return undefined;
  const sorted = exports.toSorted((one, other) => one.durationMs - other.durationMs);
  return (sorted[Math.floor(sorted.length / 2)]?.durationMs ?? 0) / 1_000;
}
