import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { DescribeLogGroups, LogGroup } from '#aws/log-groups/describe-log-groups.ts';
import { statedLimits } from '#problems/limits.ts';
import type { AbortableSleep } from '#time/sleep.ts';
import { untilAborted } from '#time/until-aborted.ts';
import { isSelected, type Selection } from '../../partitions/selection.ts';

const { logGroupsPerArchive } = statedLimits;

// AWS allows ten of these calls per second for all clients of an account and Region together. Shorter: others
// are throttled. Longer: a new log group of a large archive is found late.
const pauseMs = 250;
/** The most log groups of one page. */
const perPage = 50;
// A page may have fewer log groups than AWS allows, or none. Fewer: a listing with short pages is cut off.
// More: a listing without end goes on for hours.
const maxPages = (4 * logGroupsPerArchive) / perPage;

/** A page of a listing, without the log groups that the archive does not select. */
interface ListedPage {
  logGroups: LogGroup[];
  /** Whether the listing is complete with it. A listing that ends without it has found too many. */
  isLast: boolean;
}

/**
 * Yields the log groups of an archive page by page, as AWS lists them. It waits until no caller needs the
 * calls. It ends early when there are more than an archive can have.
 * @throws Problem: the meaning of AWS's answer
 */
export async function* listSelected(
  logs: Pick<CloudWatchLogs, 'describeLogGroups'>,
  selection: Selection,
  calls: ListingCalls,
): AsyncGenerator<ListedPage> {
  let room: number = logGroupsPerArchive;
  for await (const { logGroups, isLast } of pagesOf(logs, selection, calls)) {
    const selected = logGroups.filter((each) => isSelected(selection, each.logGroupName));
    const isTooLong = selected.length > room;
    yield { logGroups: selected.slice(0, room), isLast: isLast && !isTooLong };
    if (isTooLong) return;
    room -= selected.length;
  }
}

/** How a listing waits. */
interface ListingCalls {
  sleep: AbortableSleep;
  signal: AbortSignal;
}

async function* pagesOf(
  logs: Pick<CloudWatchLogs, 'describeLogGroups'>,
  { logGroupNames, logGroupNamePrefix }: Selection,
  { sleep, signal }: ListingCalls,
): AsyncGenerator<ListedPage> {
  const options = { lane: 'verification', signal } as const;
  const describe = (query: DescribeLogGroups) =>
    untilAborted(logs.describeLogGroups({ ...query, limit: perPage }, options), signal);
  if (logGroupNames) {
    for (let first = 0; first < logGroupNames.length; first += perPage) {
      if (first > 0) await sleep(pauseMs, signal);
      const logGroupIdentifiers = logGroupNames.slice(first, first + perPage);
      const answer = await describe({ logGroupIdentifiers });
      yield { logGroups: answer.logGroups, isLast: first + perPage >= logGroupNames.length };
    }
    return;
  }
  const prefix = logGroupNamePrefix ? { logGroupNamePrefix } : {};
  let nextToken: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    if (page > 0) await sleep(pauseMs, signal);
    const next = nextToken === undefined ? {} : { nextToken };
    const answer = await describe({ ...prefix, ...next });
    nextToken = answer.nextToken;
    yield { logGroups: answer.logGroups, isLast: nextToken === undefined };
    if (nextToken === undefined) return;
  }
}
