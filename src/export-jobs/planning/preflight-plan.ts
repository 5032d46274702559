import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import type { Preflight } from '#targets/preflight/check.ts';
import { lookUpLogGroups } from '#targets/preflight/log-groups-reading.ts';
import type { RunPreflight } from '#targets/preflight/preflight.ts';
import type { OpenTarget } from '#targets/target.ts';
import type { PlannedJob } from './plan-job.ts';
import { arrivalsOf } from './plan-slices.ts';
import { readPrefixTemplate } from './prefix-template.ts';

/** Checks a planned job, with the prefix of its first slice. */
export async function preflightPlan(
  preflight: RunPreflight,
  request: CallerRequest,
  { job, logGroupNames, slices }: PlannedJob,
  { target, jobId }: { target: OpenTarget; jobId: string },
): Promise<Preflight> {
  const { destination, prefixTemplate, timeZone, logStreamNamePrefix, fromAt, toAt } = job;
  const template = readPrefixTemplate(prefixTemplate, { target, jobId, timeZone });
  const [logGroupName = ''] = logGroupNames;
  const caller = request.principal.id;
  return preflight(request, target, {
    destination,
    destinationPrefix: template.render({ logGroupName, fromAt, attempt: 1 }),
    logGroupNames,
    logGroups: await lookUpLogGroups(target.logs, { logGroupNames }, { caller }),
    logStreamNamePrefix: logStreamNamePrefix ?? undefined,
    window: { fromAt, toAt },
    arrivals: arrivalsOf(slices),
    priority: job.priority,
  });
}
