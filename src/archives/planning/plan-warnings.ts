import { warningsOfLogGroups } from '#export-jobs/planning/prefix-warnings.ts';
import { warningsOfSlashes } from '#export-tasks/creating/warnings.ts';
import type { Warning } from '#export-tasks/export-task.ts';
import { countOf, inDigits, statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import type { ArchiveDefinition } from '../archive.ts';
import type { ArchiveLoad } from './load.ts';
import type { LookedUpLogGroups } from './look-up-log-groups.ts';
import { warningsOfRetention } from './retention.ts';

// Lower: archives warn that work well. Higher: no time is left for jobs and for catching up.
const busyShare = 0.7;
// Sums of fractions differ from the exact sum by less. Without it, exactly all the time can be more than that.
const tolerance = 1e-9;

/**
 * Refuses an archive whose exports do not fit into the time of the slot.
 * @throws Problem archive-overload
 */
export function refuseOverload(load: ArchiveLoad, { isOverloadAllowed }: ArchiveDefinition): void {
  if (load.targetShare > 1 + tolerance && !isOverloadAllowed)
    throw new Problem('archive-overload', describeLoad(load));
}

/** What warnings depend on beside the definition and its log groups. */
interface PlanFacts {
  load: ArchiveLoad;
  /** Whether another archive exports log groups of this one to the same prefixes. */
  isShared: boolean;
  now: number;
}

/** All warnings about a planned archive. */
export function warningsOfPlan(
  definition: ArchiveDefinition,
  { found, missing, isPartial }: LookedUpLogGroups,
  { load, isShared, now }: PlanFacts,
): Warning[] {
  const { destinationPrefix, logGroupNamePrefix } = definition;
  const names = found.map(({ logGroupName }) => logGroupName);
  const warnings = [
    ...warningsOfSlashes(destinationPrefix),
    ...warningsOfLogGroups(destinationPrefix, names),
    ...warningsOfRetention(found, definition, now),
  ];
  const warn = (member: keyof ArchiveDefinition, detail: string) =>
    warnings.push({ pointer: `#/${member}`, detail });
  const [firstMissing] = missing;
  if (firstMissing !== undefined) {
    const others = missing.length > 1 ? ` and ${countOf(missing.length - 1, 'other')}` : '';
    warn(
      'logGroupNames',
      `No log group has the name ${firstMissing}${others} now. It is archived when it is created.`,
    );
  }
  if (logGroupNamePrefix !== null && found.length === 0) {
    warn(
      'logGroupNamePrefix',
      `No log group begins with ${logGroupNamePrefix} now. Log groups are archived when they are created.`,
    );
  }
  if (isPartial) {
    warn(
      'logGroupNamePrefix',
      `More than ${inDigits(statedLimits.logGroupsPerArchive)} log groups begin with ${logGroupNamePrefix}. An archive has at most that many, in the order of AWS. Create several archives with longer prefixes.`,
    );
  }
  if (isShared) {
    warn(
      'destinationPrefix',
      'Another archive of this target exports log groups of this archive to the same prefixes. A reader of a prefix gets each log event twice. Choose another template, or omit these log groups.',
    );
  }
  if (load.targetShare > busyShare) warn('partitionBy', describeLoad(load));
  return warnings;
}

const basisInWords: Record<ArchiveLoad['basis'], string> = {
  'log-groups': 'the median of the latest exports of these log groups',
  target: 'the median of the latest exports of the target',
  assumed: 'an assumption, because the target has no completed export yet',
};

function describeLoad({
  exportsPerDay,
  secondsPerExport,
  basis,
  slotShare,
  targetShare,
}: ArchiveLoad): string {
  const perDay = countOf(Math.round(exportsPerDay), 'export');
  return `This archive has ${perDay} a day of ${Math.round(secondsPerExport)} seconds each: ${inPercent(slotShare)} of the time of the slot. The seconds are ${basisInWords[basis]}. All archives of the target together take ${inPercent(targetShare)}.`;
}

// Rounded up: a refusal that says 100 % would be wrong.
const inPercent = (share: number) => `${Math.ceil(100 * (share - tolerance))} %`;
