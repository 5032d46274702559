import type { CallOptions } from '#aws/call-options.ts';
import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { LogGroup } from '#aws/log-groups/describe-log-groups.ts';
import type { Reading } from '#aws/storage/storage.ts';
import { Problem } from '#problems/problem.ts';
import { toUnread } from './readings.ts';

/** The log groups of an export: their names, or a prefix of them. */
export type LogGroupsQuery = { logGroupNames: readonly string[] } | { logGroupNamePrefix: string };

/** What AWS says of the log groups of an export. */
export interface LogGroupFacts {
  found: LogGroup[];
  /** Names that no log group has. */
  missing: string[];
  /** Whether there are more that were not read. */
  isPartial: boolean;
}

// AWS accepts ten of these calls a second for all callers together. Fewer: a large job is checked in part.
// More: preflights of large jobs take the calls of other callers.
const maxCalls = 3;

/** The most log groups of one call. */
const perCall = 50;

/**
 * Reads log groups from AWS, with at most three calls: 150 log groups.
 * @throws Problem aws-call-budget-exhausted
 */
export async function lookUpLogGroups(
  logs: Pick<CloudWatchLogs, 'describeLogGroups'>,
  query: LogGroupsQuery,
  options: CallOptions,
): Promise<Reading<LogGroupFacts>> {
  try {
    const value =
      'logGroupNames' in query
        ? await readByName(logs, [...new Set(query.logGroupNames)], options)
        : await readByPrefix(logs, query.logGroupNamePrefix, options);
    return { outcome: 'known', value };
  } catch (error) {
    if (error instanceof Problem && error.slug === 'aws-call-budget-exhausted') throw error;
    return toUnread(error);
  }
}

async function readByName(
  logs: Pick<CloudWatchLogs, 'describeLogGroups'>,
  names: readonly string[],
  options: CallOptions,
): Promise<LogGroupFacts> {
  const asked = names.slice(0, maxCalls * perCall);
  const calls = Array.from({ length: Math.ceil(asked.length / perCall) }, (_, at) => {
    const logGroupIdentifiers = asked.slice(at * perCall, (at + 1) * perCall);
    return logs.describeLogGroups({ logGroupIdentifiers, limit: perCall }, options);
  });
  const found = (await Promise.all(calls)).flatMap(({ logGroups }) => logGroups);
  const known = new Set(found.map(({ logGroupName }) => logGroupName));
  const missing = asked.filter((name) => !known.has(name));
  return { found, missing, isPartial: asked.length < names.length };
}

async function readByPrefix(
  logs: Pick<CloudWatchLogs, 'describeLogGroups'>,
  logGroupNamePrefix: string,
  options: CallOptions,
): Promise<LogGroupFacts> {
  const found: LogGroup[] = [];
  let nextToken: string | undefined;
  for (let call = 0; call < maxCalls; call += 1) {
    const page = nextToken === undefined ? {} : { nextToken };
    const answer = await logs.describeLogGroups(
      { logGroupNamePrefix, limit: perCall, ...page },
      options,
    );
    found.push(...answer.logGroups);
    nextToken = answer.nextToken;
    if (nextToken === undefined) return { found, missing: [], isPartial: false };
  }
  return { found, missing: [], isPartial: true };
}
