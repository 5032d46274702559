import type { EventCallOptions } from '#aws/call-options.ts';
import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { Problem } from '#problems/problem.ts';
import { type CountedWindow, isLasting, lastArrivalOf } from './count/count-events.ts';
import type { EmptinessEvidence } from './manifest/manifest.ts';

/** The most pages of FilterLogEvents that are read for an export without objects. */
// AWS answers with empty pages while it searches. Fewer: a large log group is never proved to be empty.
// More: one verification uses up the calls of many.
export const maxSearchPages = 100;
// Log events of a page. Fewer: those that arrived late use up the pages. More: an answer takes more memory.
const pageLimit = 1_000;

/**
 * Looks for a log event in a window that its export must have, because nothing was exported. Returns `undefined` if
 * there is one, otherwise the evidence that there is none. If the role may not look, the evidence says so.
 */
export async function proveEmptiness(
  logs: Pick<CloudWatchLogs, 'filterLogEvents'>,
  window: CountedWindow,
  options: EventCallOptions,
): Promise<EmptinessEvidence | undefined> {
  const { logGroupName, logStreamNamePrefix, fromAt, toAt } = window;
  let nextToken: string | undefined;
  let pages = 0;
  do {
    const query = {
      logGroupName,
      ...(logStreamNamePrefix !== null && { logStreamNamePrefix }),
      from: fromAt,
      to: toAt - 1,
      nextToken,
      limit: pageLimit,
    };
    const page = await logs.filterLogEvents(query, options).catch((problem) => {
      if (!isLasting(problem)) throw problem;
      return problem;
    });
    if (page instanceof Problem) {
      return { checkedBy: 'ListObjectsV2', pages, isExhaustive: false, problem: page.slug };
    }
    if (page.firstArrivedAt <= lastArrivalOf(window)) return undefined;
    pages += 1;
    nextToken = page.nextToken;
  } while (nextToken !== undefined && pages < maxSearchPages);
  return { checkedBy: 'FilterLogEvents', pages, isExhaustive: nextToken === undefined };
}
