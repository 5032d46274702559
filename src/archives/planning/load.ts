import type { PartitionBy } from '#coverage/ledger/units.ts';
import type { Database } from '#database/database.ts';
import { readDurations } from '#export-jobs/store/reads/read-durations.ts';
import type { ArchiveDefinition } from '../archive.ts';
import { readArchivesOfTarget } from '../store/reads/read-archives.ts';

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

/** Estimates the load of an archive over these log groups, from the exports of its target. */
export async function estimateLoad(
  database: Database,
  target: string,
  definition: ArchiveDefinition,
  logGroupNames: readonly string[],
  archiveId: string,
): Promise<ArchiveLoad> {
  const durations = await readDurations(database, target, maxDurations);
  const names = new Set(logGroupNames);
  const ofTarget = medianOf(durations.map(({ durationMs }) => durationMs));
  const ofLogGroups = medianOf(
    durations
      .filter(({ logGroupName }) => names.has(logGroupName))
      .map(({ durationMs }) => durationMs),
  );
  const others = await readArchivesOfTarget(database, target);
  const secondsOfTarget = ofTarget ?? assumedSeconds;
  const secondsPerExport = ofLogGroups ?? secondsOfTarget;
  const exportsPerDay = exportsPerDayOf(definition, logGroupNames.length);
  const slotShare = (exportsPerDay * secondsPerExport) / secondsPerDay;
  const exportsOfOthers = others
    .filter(({ id }) => id !== archiveId)
    .reduce((sum, other) => sum + exportsPerDayOf(other.definition, countLogGroups(other)), 0);
  return {
    exportsPerDay,
    secondsPerExport,
    basis: ofLogGroups !== undefined ? 'log-groups' : ofTarget !== undefined ? 'target' : 'assumed',
    slotShare,
    targetShare: slotShare + (exportsOfOthers * secondsOfTarget) / secondsPerDay,
  };
}

/** The number of exports of a day; a refresh is a second export of each partition. */
function exportsPerDayOf(
  { partitionBy, refreshDays }: ArchiveDefinition,
  logGroups: number,
): number {
  return logGroups * partitionsPerDay[partitionBy] * (refreshDays > 0 ? 2 : 1);
}

// An archive that was not looked at yet has no summary.
function countLogGroups({
  definition,
  summary,
}: Awaited<ReturnType<typeof readArchivesOfTarget>>[number]): number {
  return summary?.logGroups ?? definition.logGroupNames?.length ?? 0;
}

/** The median in seconds, of durations in milliseconds. */
function medianOf(durations: readonly number[]): number | undefined {
  if (durations.length === 0) return undefined;
  const sorted = durations.toSorted((one, other) => one - other);
  return (sorted[Math.floor(sorted.length / 2)] ?? 0) / 1_000;
}
