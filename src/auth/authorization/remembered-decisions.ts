import { setAsNewest } from '#caching/bounded-map.ts';
import type { Principal } from '../principal.ts';
import type { Circumstances, Decision, Question } from './authorizer.ts';
import type { Policies } from './policies/open-policies.ts';

// Who follows a task or a line asks the same each second. More for each caller, and those of many
// callers take memory; less, and one who looks at many tasks in turn never meets one again.
const maxOfACaller = 256;

/**
 * Makes a memory of decisions: the same policies say the same of the same question, and of one that
 * differs in nothing they look at, such as the window or the log group. It forgets what
 * other policies have said, and all of a caller when its `Principal` is not used any more.
 */
export function makeDecisionMemory({
  version,
  dependsOn,
}: Pick<Policies, 'version' | 'dependsOn'>) {
  const memory = new WeakMap<Principal, { version: number; decisions: Map<string, Decision> }>();

  function decisionsOf(principal: Principal): Map<string, Decision> {
    const known = memory.get(principal);
    if (known?.version === version()) return known.decisions;
    const decisions = new Map<string, Decision>();
    memory.set(principal, { version: version(), decisions });
    return decisions;
  }

  return {
    /** The decision of an equal question; made and remembered by `evaluate`, unless it says not to. */
    getOrCompute(
      principal: Principal,
      question: Question,
      evaluate: () => { decision: Decision; isToRemember: boolean },
    ): Decision {
      const decisions = decisionsOf(principal);
      const key = keyOf(question, (aspect) => dependsOn(principal, aspect));
      const known = decisions.get(key);
      if (known) return known;
      const { decision, isToRemember } = evaluate();
      if (!isToRemember) return decision;
      setAsNewest(decisions, key, decision, maxOfACaller);
      return decision;
    },
  };
}

const everyCircumstance: Record<keyof Circumstances, true> = {
  destination: true,
  destinationPrefix: true,
  from: true,
  to: true,
  priority: true,
  isOwn: true,
};
const circumstances = Object.keys(everyCircumstance) as (keyof Circumstances)[];

/** All of a question that makes a difference, in one text. */
function keyOf(
  { action, resource, context = {} }: Question,
  dependsOn: (aspect: string) => boolean,
): string {
  const { name, accountId, region } = resource.target;
  const heeded = circumstances.map((circumstance) =>
    dependsOn(circumstance) ? (context[circumstance]?.toString() ?? null) : null,
  );
  const logGroupName = dependsOn('logGroupName') ? (resource.logGroupName ?? null) : null;
  return JSON.stringify([action, name, accountId, region, logGroupName, heeded]);
}
