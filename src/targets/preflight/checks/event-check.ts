import type { CallOptions } from '#aws/call-options.ts';
import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { Check } from '../check.ts';
import { toUnread, unreadable } from '../readings.ts';
import type { ExportWindow } from './log-group-checks.ts';

/** The events of an export. */
export interface EventSearch {
  logGroupNames: readonly string[];
  logStreamNamePrefix?: string | undefined;
  window: ExportWindow;
}

/** The check of the events, and the log group in which one was found. */
interface EventsFound {
  check: Check;
  foundIn?: string;
}

// A page can be empty although events follow. Fewer: less is known of old events. More: a preflight takes
// the calls of verifications.
const maxCalls = 5;

/** Looks for an event in the time range: the first one that is found is enough. */
export async function checkEvents(
  logs: Pick<CloudWatchLogs, 'filterLogEvents'>,
  { logGroupNames, logStreamNamePrefix, window }: EventSearch,
  options: CallOptions,
): Promise<EventsFound> {
  const name = 'events';
  let calls = 0;
  for (const logGroupName of logGroupNames) {
    let nextToken: string | undefined;
    do {
      if (calls === maxCalls) {
        const detail = `${maxCalls} calls of FilterLogEvents found no event in the time range. Others may follow.`;
        return { check: { name, verdict: 'unknown', detail } };
      }
      calls += 1;
      const range = { from: window.fromAt, to: window.toAt - 1, limit: 1 };
      const query = { logGroupName, logStreamNamePrefix, ...range, nextToken };
      const page = await logs.filterLogEvents(query, options).catch(toUnread);
      if ('outcome' in page) {
        const permission = 'logs:FilterLogEvents';
        return { check: unreadable(name, { what: 'the events', permission }, page) };
      }
      if (page.events > 0) {
        const detail = `Log group ${logGroupName} has events in the time range.`;
        return { check: { name, verdict: 'pass', detail }, foundIn: logGroupName };
      }
      ({ nextToken } = page);
    } while (nextToken !== undefined);
  }
  const detail = 'The log groups have no event in the time range. The export is empty.';
  const remedy =
    'Correct `from` and `to`. A number is in milliseconds, and a text needs an offset.';
  return { check: { name, verdict: 'warn', detail, remedy } };
}
