import type { EventCallOptions } from '#aws/call-options.ts';
import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import type { QueryResults } from '#aws/log-groups/event-reads.ts';
import { awsLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';
import type { AbortableSleep } from '#time/sleep.ts';

/** The window whose log events are counted: half-open, in epoch ms. */
export interface CountedWindow {
  logGroupName: string;
  logStreamNamePrefix: string | null;
  fromAt: number;
  toAt: number;
  /** When the export of the window was sent to AWS. */
  submittedAt: number;
}

/**
 * The last arrival, as epoch ms, of log events that an export must have. AWS can need 12 hours until a log event is
 * exportable, and later ones can arrive after the export.
 */
export const lastArrivalOf = ({ submittedAt }: Pick<CountedWindow, 'submittedAt'>) =>
  submittedAt - awsLimits.settlingMs;

/**
 * Whether a problem is an answer of AWS that no repeat would change. A status 200 with a body that AWS does not
 * send, as from a proxy, is none.
 */
export function isLasting(problem: unknown): problem is Problem {
  if (!(problem instanceof Problem) || problem.kind.isRetryable) return false;
  return problem.slug !== 'aws-unexpected' || problem.members.awsErrorCode !== undefined;
}

/** Why log events were not counted: an answer that no repeat would change. */
export interface NotCounted {
  outcome: 'not-counted';
  problem: Problem;
  /** The action that AWS denied to the service role; undefined if it denied none. */
  deniedAction: string | undefined;
}

/**
 * Handles the failure of a call with an action. @throws an outage: everything that a repeat can change, as long as
 * there may be a repeat
 */
export function whyNotCounted(action: string, mayRepeat = () => true) {
  return (problem: unknown): NotCounted => {
    if (!(problem instanceof Problem) || (!isLasting(problem) && mayRepeat())) throw problem;
    const isDenied = problem.slug === 'service-role-not-permitted';
    return { outcome: 'not-counted', problem, deniedAction: isDenied ? action : undefined };
  };
}

// The pauses between two reads of a query. Shorter: reads use up calls. Longer: a verification takes longer.
const firstPauseMs = 500;
const maxPauseMs = 5_000;
// AWS ends queries after 60 minutes. Lower: the count of a large window never ends. Higher: a query that AWS
// has lost is read for hours.
const maxReads = 900;

/** How log events are counted. */
interface CountOptions {
  options: EventCallOptions & { signal: AbortSignal };
  sleep: AbortableSleep;
  /** Called when a query has started, or perhaps. Default: nothing happens. */
  noteQuery?: () => Promise<void>;
  /** Whether the count may be repeated after its query has started. Each repeat is another query. Default: yes. */
  mayRepeat?: () => boolean;
}

/**
 * Counts the log events of a window that its export must have, with CloudWatch Logs Insights. AWS charges for the
 * bytes that the query scans: those of the log group in the window.
 * @throws Problem aws-timeout if the query does not end, aws-unexpected if it ends without a count; and outages
 */
export async function countEvents(
  logs: Pick<CloudWatchLogs, 'startQuery' | 'readQuery'>,
  window: CountedWindow,
  { options, sleep, noteQuery, mayRepeat }: CountOptions,
): Promise<number | NotCounted> {
  const started = await logs
    .startQuery(toQuery(window), options)
    .catch(async (problem: Problem) => {
      const isStarted = problem.slug === 'aws-unexpected'; // perhaps
      if (isStarted) await noteQuery?.();
      return whyNotCounted('logs:StartQuery', isStarted ? mayRepeat : undefined)(problem);
    });
  if ('outcome' in started) return started;
  await noteQuery?.();
  const notRead = whyNotCounted('logs:GetQueryResults', mayRepeat);
  return readQuery(logs, started.queryId, { options, sleep }).catch(notRead);
}

async function readQuery(
  logs: Pick<CloudWatchLogs, 'readQuery'>,
  queryId: string,
  { options, sleep }: CountOptions,
): Promise<number | NotCounted> {
  let pauseMs = firstPauseMs;
  for (let reads = 0; reads < maxReads; reads += 1) {
    const { status, rows } = await logs.readQuery(queryId, options);
    if (status === 'Complete') return readCount(rows);
    if (status !== 'Scheduled' && status !== 'Running' && status !== 'Unknown') {
      const detail = `The query of CloudWatch Logs Insights is ${status}.`;
      const problem = new Problem('aws-unexpected', detail);
      return { outcome: 'not-counted', problem, deniedAction: undefined };
    }
    await sleep(pauseMs, options.signal);
    options.signal.throwIfAborted();
    pauseMs = Math.min(maxPauseMs, 2 * pauseMs);
  }
  throw new Problem('aws-timeout', 'The query of CloudWatch Logs Insights did not end.');
}

/** Reads the count. A query that finds no log events can end without a row. */
function readCount([row]: QueryResults['rows']): number {
  if (!row) return 0;
  const { events = '' } = row;
  if (/^\d{1,15}$/.test(events)) return Number(events);
  throw new Problem(
    'aws-unexpected',
    'The query of CloudWatch Logs Insights ended without a count.',
  );
}

/** Insights has whole seconds, both inclusive. So the query itself has the exact window. */
function toQuery(window: CountedWindow) {
  const { logGroupName, logStreamNamePrefix, fromAt, toAt } = window;
  const filters = [
    `filter @timestamp >= ${fromAt} and @timestamp < ${toAt}`,
    `filter @ingestionTime <= ${lastArrivalOf(window)}`,
  ];
  if (logStreamNamePrefix !== null)
    filters.push(`filter @logStream like /^${toLiteral(logStreamNamePrefix)}/`);
  return {
    logGroupName,
    from: Math.floor(fromAt / 1_000),
    to: Math.ceil(toAt / 1_000),
    queryString: [...filters, 'stats count(*) as events'].join(' | '),
  };
}

/** Escapes a text for a regular expression in slashes. */
const toLiteral = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
