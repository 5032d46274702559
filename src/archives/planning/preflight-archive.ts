import type { CallerRequest } from '#auth/authorization/authorizer.ts';
import { startOf } from '#coverage/ledger/units.ts';
import { awsLimits } from '#problems/limits.ts';
import type { Preflight } from '#targets/preflight/check.ts';
import type { RunPreflight } from '#targets/preflight/preflight.ts';
import type { OpenTarget } from '#targets/target.ts';
import { firstPrefixOf } from './first-prefix.ts';
import type { PlannedArchive } from './plan-archive.ts';

// Callers read a plan, and a preflight lists every log group. A job of a hundred shows what is wrong.
const maxLogGroups = 100;

/** Checks a planned archive, with the prefix of its first export and its latest due partition. */
export async function preflightArchive(
  preflight: RunPreflight,
  request: CallerRequest,
  plan: PlannedArchive,
  { target, archiveId, now }: { target: OpenTarget; archiveId: string; now: number },
): Promise<Preflight> {
  const { definition, logGroups } = plan;
  const { destination, priority, partitionBy, fromAt } = definition;
  const toAt = startOf(now - awsLimits.settlingMs, partitionBy);
  const newest = { fromAt: startOf(toAt - 1, partitionBy), toAt };
  const found = logGroups.slice(0, maxLogGroups);
  return preflight(request, target, {
    destination,
    destinationPrefix: firstPrefixOf(plan, target, archiveId),
    logGroupNames: found.map(({ logGroupName }) => logGroupName),
    logGroups: {
      outcome: 'known',
      value: { found, missing: [], isPartial: found.length < logGroups.length },
    },
    window: newest.fromAt >= fromAt ? newest : undefined,
    arrivals: [{ at: 0, slices: found.length }],
    priority,
  });
}
