import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { LogGroup } from '#aws/log-groups/describe-log-groups.ts';
import {
  type ListingOptions,
  listLogGroups,
  pauseMs,
} from '#export-jobs/planning/resolve-log-groups.ts';
import { inDigits, statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import type { ArchiveDefinition } from '../archive.ts';
import { isSelected } from '../partitions/selection.ts';

/** What AWS says of the log groups of an archive. */
export interface LookedUpLogGroups {
  found: readonly LogGroup[];
  /** Names of the definition that no log group has now. */
  missing: readonly string[];
  /** Whether there are more than an archive has. */
  isPartial: boolean;
}

// The most names of one call.
const namesPerCall = 50;

/**
 * Looks up the log groups of an archive. A prefix that no log group has is no mistake: one may be created
 * later. Names of which no log group has any are one.
 * @throws Problem no-log-groups, or what AWS's answer means
 */
export async function lookUpLogGroupsOf(
  logs: Pick<CloudWatchLogs, 'describeLogGroups'>,
  definition: ArchiveDefinition,
  options: ListingOptions,
): Promise<LookedUpLogGroups> {
  const { logGroupNames, logGroupNamePrefix } = definition;
  if (logGroupNames) return lookUpNames(logs, logGroupNames, options);
  const byName = new Map<string, LogGroup>();
  const prefix = logGroupNamePrefix ?? '';
  for await (const page of listLogGroups(logs, prefix, options)) {
    for (const logGroup of page) {
      const { logGroupName } = logGroup;
      if (isSelected(definition, logGroupName)) byName.set(logGroupName, logGroup);
    }
    if (byName.size > statedLimits.logGroupsPerArchive) break;
  }
  const found = [...byName.values()].slice(0, statedLimits.logGroupsPerArchive);
  return { found, missing: [], isPartial: found.length < byName.size };
}

async function lookUpNames(
  logs: Pick<CloudWatchLogs, 'describeLogGroups'>,
  names: readonly string[],
  { sleep, caller }: ListingOptions,
): Promise<LookedUpLogGroups> {
  const found: LogGroup[] = [];
  for (let start = 0; start < names.length; start += namesPerCall) {
    if (start > 0) await sleep(pauseMs);
    const logGroupIdentifiers = names.slice(start, start + namesPerCall);
    const page = await logs.describeLogGroups(
      { logGroupIdentifiers, limit: namesPerCall },
      { caller },
    );
    found.push(...page.logGroups);
  }
  const existing = new Set(found.map(({ logGroupName }) => logGroupName));
  const missing = names.filter((name) => !existing.has(name));
  if (found.length > 0) return { found, missing, isPartial: false };
  const [first = '', ...others] = names;
  const other =
    others.length === 1
      ? `the name ${others[0]}`
      : `one of the ${inDigits(others.length)} other names`;
  const more = others.length > 0 ? `, nor ${other}` : '';
  throw new Problem('no-log-groups', `No log group has the name ${first}${more}.`);
}
