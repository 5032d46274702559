import { type Problem, withBasePath } from '#problems/problem.ts';
import { toDateTime } from '#time/date-time.ts';
import type { RedactedSlotStatus } from './slot/redact-slot-status.ts';
import type { TargetStatus } from './slot/slot.ts';
import type { KnownTarget, QueueProblem, Target } from './target.ts';

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

/** Shows a target with its slot and its queue. */
export function showTargetStatus(
  target: KnownTarget,
  { slot, queue, startProblem, busyShareLastHour }: RedactedSlotStatus,
  basePath: string,
): TargetStatus {
  const why = startProblem && {
    problem: showTargetProblem(startProblem.problem, basePath, startProblem.since),
  };
  return {
    ...showTarget(target, basePath),
    ...(slot && { slot }),
    ...(queue && { queue: { ...queue, ...why } }),
    ...(busyShareLastHour !== undefined && { busyShareLastHour }),
  };
}

/** Shows why nothing starts at a target, and since when, in epoch ms. */
export function showTargetProblem(
  problem: Problem,
  basePath: string,
  since?: number,
): QueueProblem {
  const { slug, kind, detail, members } = problem;
  return {
    type: `${basePath}/problems/${slug}`,
    title: kind.title,
    detail,
    remedy: withBasePath(members.remedy ?? kind.remedy, basePath),
    ...(since !== undefined && { since: toDateTime(since) }),
  };
}
