import type { CloudWatchLogs } from '#aws/cloudwatch-logs.ts';
import { inDigits, statedLimits } from '#problems/limits.ts';
import { Problem } from '#problems/problem.ts';

const { slicesPerJob } = statedLimits;

// AWS takes ten of these calls a second per account and Region from everybody together: four are
// ours. Slower, and a job of a thousand log groups would be accepted after more than five seconds.
const pauseMs = 250;

// Pages may come with less than AWS has room for, even empty; twice as many as full ones is patience
// enough with a listing that does not end.
const maxPages = 2 * (slicesPerJob / 50);

/**
 * All log groups whose name begins with a prefix, in AWS's order, and what they hold together.
 * @throws Problem no-log-groups, too-many-slices, aws-unexpected, or what AWS's answer means
 */
export async function resolveLogGroups(
  logs: Pick<CloudWatchLogs, 'describeLogGroups'>,
  logGroupNamePrefix: string,
  { sleep, caller }: { sleep: (ms: number) => Promise<void>; caller?: string },
): Promise<{ logGroupNames: string[]; storedBytes: number }> {
  const bytesByName = new Map<string, number>();
  let nextToken: string | undefined;
  for (let page = 0; page < maxPages; page += 1) {
    if (page > 0) await sleep(pauseMs);
    const answer = await logs.describeLogGroups(
      { logGroupNamePrefix, limit: 50, ...(nextToken !== undefined && { nextToken }) },
      { caller },
    );
    for (const { logGroupName, storedBytes = 0 } of answer.logGroups) {
      bytesByName.set(logGroupName, storedBytes);
    }
    if (bytesByName.size > slicesPerJob) {
      throw new Problem(
        'too-many-slices',
        `More than ${inDigits(slicesPerJob)} log groups begin with ${logGroupNamePrefix}. Each is at least one slice, and a job has a limit of ${inDigits(slicesPerJob)} slices.`,
      );
    }
    nextToken = answer.nextToken;
    if (nextToken === undefined) {
      if (bytesByName.size === 0) {
        throw new Problem('no-log-groups', `No log group begins with ${logGroupNamePrefix}.`);
      }
      const storedBytes = [...bytesByName.values()].reduce((sum, bytes) => sum + bytes, 0);
      return { logGroupNames: [...bytesByName.keys()], storedBytes };
    }
  }
  throw new Problem(
    'aws-unexpected',
    `The list of log groups from AWS does not end after ${maxPages} pages.`,
  );
}
