import { setAsNewest } from '#caching/bounded-map.ts';
import type { Principal } from '../principal.ts';
import type { Circumstances, Decision, Question } from './authorizer.ts';
import type { Policies } from './policies/open-policies.ts';

// A caller that polls a task or a queue repeats its question every second. Lower: a caller that polls many
// tasks finds none of its decisions again. Higher: the decisions of many callers take memory.
const maxPerCaller = 256;

/**
 * Makes a cache of decisions. Two questions share a decision if they differ only in aspects that no
 * policy depends on, such as the window or the log group. Entries expire when the policies change, and
 * when the `Principal` of their caller is garbage collected.
 */
export function makeDecisionCache({ version, dependsOn }: Pick<Policies, 'version' | 'dependsOn'>) {
  const cache = new WeakMap<Principal, { version: number; decisions: Map<string, Decision> }>();

  function decisionsOf(principal: Principal): Map<string, Decision> {
    const known = cache.get(principal);
    if (known?.version === version()) return known.decisions;
    const decisions = new Map<string, Decision>();
    cache.set(principal, { version: version(), decisions });
    return decisions;
  }

  return {
    /** Returns the decision of an equal question, or evaluates it and, if it is cacheable, caches it. */
    getOrCompute(
      principal: Principal,
      question: Question,
      evaluate: () => { decision: Decision; isCacheable: boolean },
    ): Decision {
      const decisions = decisionsOf(principal);
      const key = keyOf(question, (aspect) => dependsOn(principal, aspect));
      const known = decisions.get(key);
      if (known) return known;
      const { decision, isCacheable } = evaluate();
      if (!isCacheable) return decision;
      setAsNewest(decisions, key, decision, maxPerCaller);
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

/** All aspects of a question that the policies depend on, as one text. */
function keyOf(
  { action, resource, context = {}, isForAnyContext }: Question,
  dependsOn: (aspect: string) => boolean,
): string {
  const { name, accountId, region } = resource.target;
  const relevant = circumstances.map((circumstance) =>
    dependsOn(circumstance) ? (context[circumstance]?.toString() ?? null) : null,
  );
  const { logGroupName, webhookEndpoint } = resource;
  const named = logGroupName ?? webhookEndpoint?.origin ?? null;
  const relevantName = dependsOn('logGroupName') ? named : null;
  const place = [name, accountId, region, relevantName];
  return JSON.stringify([action, isForAnyContext ?? false, ...place, relevant]);
}
