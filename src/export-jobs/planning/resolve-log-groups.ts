import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { LogGroup } from '#aws/log-groups/describe-log-groups.ts';
import { countOf, inDigits, statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';

const { slicesPerJob } = statedLimits;

// AWS allows ten of these calls per second for all callers of an account and Region together. Shorter:
// we take more than four of them. Longer: a job of a thousand log groups takes more than five seconds.
export const pauseMs = 250;

// A page may have fewer log groups than AWS allows, or none. Fewer pages: a listing with short pages
// is cut off. More: a listing without end keeps a request waiting.
const maxPages = 2 * (slicesPerJob / 50);

// 200 pages at four per second take 50 s, and as long again if the budget for AWS is shared. Shorter:
// large prefixes never fit. Longer: callers wait in vain for an AWS that answers slowly.
export const maxListingMs = 100_000;

/** What a listing of log groups needs. Times in milliseconds. */
export interface ListingOptions {
  /** A clock that only goes forward. */
  elapsed: () => number;
  sleep: (ms: number) => Promise<void>;
  caller?: string;
  /** Whether a refusal may name a log group to the caller. Default: none. */
  mayName?: (logGroupName: string) => boolean;
}

/**
 * Lists the log groups whose name begins with a prefix, page by page, in AWS's order.
 * @throws Problem aws-timeout, aws-unexpected, or what AWS's answer means
 */
export async function* listLogGroups(
  logs: Pick<CloudWatchLogs, 'describeLogGroups'>,
  logGroupNamePrefix: string,
  { elapsed, sleep, caller }: ListingOptions,
): AsyncGenerator<LogGroup[]> {
  let nextToken: string | undefined;
  const deadline = elapsed() + maxListingMs;
  for (let page = 0; page < maxPages; page += 1) {
    if (page > 0) await sleep(pauseMs);
    if (elapsed() > deadline) {
      const detail = `AWS did not list all log groups within ${maxListingMs / 1_000} seconds.`;
      throw new Problem('aws-timeout', detail);
    }
    const answer = await logs.describeLogGroups(
      { logGroupNamePrefix, limit: 50, ...(nextToken !== undefined && { nextToken }) },
      { caller },
    );
    yield answer.logGroups;
    nextToken = answer.nextToken;
    if (nextToken === undefined) return;
  }
  throw new Problem(
    'aws-unexpected',
    `The list of log groups from AWS does not end after ${maxPages} pages.`,
  );
}

/**
 * Lists all log groups whose name begins with a prefix, in AWS's order, with their total stored bytes. A refusal
 * says how many were listed before it.
 * @throws Problem no-log-groups, too-many-slices, aws-timeout, aws-unexpected, or what AWS's answer
 * means
 */
export async function resolveLogGroups(
  logs: Pick<CloudWatchLogs, 'describeLogGroups'>,
  logGroupNamePrefix: string,
  options: ListingOptions,
): Promise<{ logGroupNames: string[]; storedBytes: number }> {
  const bytesByName = new Map<string, number>();
  try {
    for await (const page of listLogGroups(logs, logGroupNamePrefix, options)) {
      for (const { logGroupName, storedBytes = 0 } of page) {
        bytesByName.set(logGroupName, storedBytes);
      }
      if (bytesByName.size > slicesPerJob) throw tooManyLogGroups(logGroupNamePrefix);
    }
  } catch (failure) {
    if (!(failure instanceof Problem)) throw failure;
    throw withProgress(failure, [...bytesByName.keys()], options);
  }
  if (bytesByName.size === 0) {
    throw new Problem('no-log-groups', `No log group begins with ${logGroupNamePrefix}.`);
  }
  const storedBytes = [...bytesByName.values()].reduce((sum, bytes) => sum + bytes, 0);
  return { logGroupNames: [...bytesByName.keys()], storedBytes };
}

function tooManyLogGroups(logGroupNamePrefix: string): Problem {
  const limit = inDigits(slicesPerJob);
  return new Problem(
    'too-many-slices',
    `More than ${limit} log groups begin with ${logGroupNamePrefix}. Each is at least one slice, and a job has a limit of ${limit} slices.`,
  );
}

/**
 * The problem with how far the listing came: a caller can choose prefixes that fit. It names a log group only if
 * the caller may know it.
 */
function withProgress(
  problem: Problem,
  listed: readonly string[],
  { mayName = () => false }: ListingOptions,
): Problem {
  const last = listed.at(-1);
  if (last === undefined) return problem;
  const upTo = mayName(last) ? `, up to ${last}` : '';
  const progress = `AWS had listed ${countOf(listed.length, 'log group')}${upTo}.`;
  return new Problem(problem.slug, `${problem.detail} ${progress}`, problem.members);
}
