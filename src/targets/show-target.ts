import { withBasePath } from '#problems/problem.ts';
import { toDateTime } from '#time/date-time.ts';
import type { KnownTarget, Target } from './target.ts';

/** Shows a target in its state. */
export function showTarget(target: KnownTarget, basePath: string): Target {
  const { name, region, accountId, isDefault, state, since, problem } = target;
  return {
    name,
    region,
    ...(accountId !== undefined && { accountId }),
    isDefault,
    state,
    since: toDateTime(since),
    ...(problem && {
      problem: {
        type: `${basePath}/problems/${problem.slug}`,
        title: problem.kind.title,
        detail: problem.detail,
        remedy: withBasePath(problem.members.remedy ?? problem.kind.remedy, basePath),
      },
    }),
  };
}
