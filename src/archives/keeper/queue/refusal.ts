import { causeScopeOf } from '#export-jobs/dispatcher/attempts/record-refusal.ts';
import { slugOf } from '#export-jobs/dispatcher/attempts/stored-problem.ts';
import type { SliceProblem } from '#export-jobs/export-job.ts';

/** The detail of the problem of an export whose verification was skipped. */
export const unverifiedDetail =
  'The export was completed but not verified, because the service role may not list its objects.';

/** Which exports of an archive fail for the cause of a problem. A log group can be one of many that AWS refuses. */
export function reachOf({
  detail,
  ...problem
}: SliceProblem): 'archive' | 'logGroup' | 'partition' {
  if (detail === unverifiedDetail) return 'archive';
  const scope = causeScopeOf({ slug: slugOf({ detail, ...problem }), detail });
  if (scope === 'job') return 'archive';
  return scope === 'log-group-then-job' ? 'logGroup' : 'partition';
}
