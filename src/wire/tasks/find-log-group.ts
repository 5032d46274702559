import { withDeadline } from '#aws/client/deadline.ts';
import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { Problem } from '#problems/problem.ts';
import { untilAborted } from '#time/until-aborted.ts';

// Shorter: a slow AWS lets tasks into the queue that it refuses hours later. Longer: clients wait for a check that AWS
// repeats.
const deadlineMs = 1_000;

/**
 * Requires that a log group exists. Without an answer of AWS in time, it may: the task is checked again when it
 * starts.
 * @throws Problem log-group-not-found
 */
export async function requireLogGroup(
  logs: Pick<CloudWatchLogs, 'describeLogGroups'>,
  logGroupName: string,
  caller: string,
): Promise<void> {
  const page = await withDeadline(deadlineMs, ({ abortSignal: signal }) =>
    untilAborted(
      logs.describeLogGroups({ logGroupIdentifiers: [logGroupName], limit: 1 }, { caller, signal }),
      signal,
    ),
  ).catch(() => undefined);
  if (!page || page.logGroups.some((group) => group.logGroupName === logGroupName)) return;
  throw new Problem('log-group-not-found', 'The specified log group does not exist.');
}
