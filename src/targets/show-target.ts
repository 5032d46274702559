import { type Problem, withBasePath } from '#problems/problem.ts';
import { toDateTime } from '#time/date-time.ts';
import type { KnownTarget, Target, TargetProblem } from './target.ts';

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
    ...(problem && { problem: showTargetProblem(problem, basePath) }),
  };
}

/** Shows why nothing is sent for a target. */
export function showTargetProblem(problem: Problem, basePath: string): TargetProblem {
  const { slug, kind, detail, members } = problem;
  return {
    type: `${basePath}/problems/${slug}`,
    title: kind.title,
    detail,
    remedy: withBasePath(members.remedy ?? kind.remedy, basePath),
  };
}
