import type { LogGroup } from '#aws/log-groups/describe-log-groups.ts';
import { longestUnitMs, type PartitionBy, partitionBys } from '#coverage/ledger/units.ts';
import type { Warning } from '#export-tasks/export-task.ts';
import { awsLimits, countOf, inDigits, statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import { toDateTime } from '#time/date-time.ts';
import { dayMs, hourMs } from '#time/durations.ts';
import type { ArchiveDefinition } from '../archive.ts';

const { shortestExportMs: exportMs } = statedLimits;

/** How long log events must be kept for partitions of a unit to be exported whole. */
const neededMs = (partitionBy: PartitionBy) =>
  longestUnitMs[partitionBy] + awsLimits.settlingMs + exportMs;

/** Log groups that keep their log events for some days. */
type Retained = LogGroup & { retentionInDays: number };
const isRetained = (logGroup: LogGroup): logGroup is Retained =>
  logGroup.retentionInDays !== undefined;

/**
 * Refuses an archive with log groups that delete their log events before a partition can be exported.
 * @throws Problem archive-impossible
 */
export function refuseImpossible(found: readonly LogGroup[], { partitionBy }: ArchiveDefinition) {
  const needed = neededMs(partitionBy);
  const tooShort = found
    .filter(isRetained)
    .filter(({ retentionInDays }) => retentionInDays * dayMs <= needed)
    .sort((one, other) => one.retentionInDays - other.retentionInDays);
  const [shortest] = tooShort;
  if (!shortest) return;
  const { logGroupName, retentionInDays } = shortest;
  const others = tooShort.length - 1;
  const fitting = partitionBys.filter((by) => retentionInDays * dayMs > neededMs(by)).at(-1);
  throw new Problem(
    'archive-impossible',
    `Log group ${logGroupName} keeps its log events for ${countOf(retentionInDays, 'day')}, which are ${retentionInDays * 24} hours. With \`partitionBy\` ${partitionBy} they must be kept for more than ${needed / hourMs} hours.${others > 0 ? ` The same applies to ${countOf(others, 'other log group')}.` : ''} The longest unit that fits is ${fitting}.`,
  );
}

/** Warns of log events that expire before they can be exported, and of second exports that come too late. */
export function warningsOfRetention(
  found: readonly LogGroup[],
  { fromAt, partitionBy, refreshDays }: ArchiveDefinition,
  now: number,
): Warning[] {
  const retained = found.filter(isRetained);
  const warnings: Warning[] = [];
  const expired = retained.filter(
    ({ retentionInDays, creationTime = 0 }) =>
      Math.max(fromAt, creationTime) < now - retentionInDays * dayMs,
  );
  const [first] = expired;
  if (first) {
    const { logGroupName, retentionInDays } = first;
    const keptSince = toDateTime(now - retentionInDays * dayMs);
    warnings.push({
      pointer: '#/from',
      detail: `${logGroupsOf(expired)} older log events than since \`from\`, and they have expired. ${logGroupName} keeps log events for ${countOf(retentionInDays, 'day')}, since ${keptSince}. Partitions before that become \`lost\`.`,
    });
  }
  const unitMs = longestUnitMs[partitionBy];
  const early = retained.filter(
    ({ retentionInDays }) => (retentionInDays - refreshDays) * dayMs <= unitMs + exportMs,
  );
  const [one] = early;
  if (refreshDays > 0 && one) {
    warnings.push({
      pointer: '#/refreshDays',
      detail: `${logGroupsOf(early)} a retention that ends before the second export. ${one.logGroupName} keeps log events for ${countOf(one.retentionInDays, 'day')}. Its partitions are not exported a second time.`,
    });
  }
  return warnings;
}

const logGroupsOf = (found: readonly LogGroup[]) =>
  found.length === 1 ? '1 log group has' : `${inDigits(found.length)} log groups have`;
