import type { Problem } from '#problems/problem.ts';
import type { Targets } from '../target.ts';

/** Why no slice starts at a target, and since when, in epoch ms, if that is known. */
export interface StartProblem {
  problem: Problem;
  since: number | undefined;
}

/** Returns why no slice starts at a target. Nothing is sent for it, or its newest create led to no task. */
export function startProblemOf(
  targets: Pick<Targets, 'whyClosed'>,
  target: string,
  createProblem: StartProblem | undefined,
): StartProblem | undefined {
  const problem = targets.whyClosed(target);
  return problem ? { problem, since: undefined } : createProblem;
}
