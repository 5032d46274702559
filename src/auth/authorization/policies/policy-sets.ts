import type { PrincipalConstraint } from '@cedar-policy/cedar-wasm/nodejs';

import type { CedarRequest } from './cedar-request.ts';
import type { Cedar } from './parse-policies.ts';

// A set is a few policies, and mostly one for each team. Fewer, and the requests of many teams have
// theirs parsed again and again; more, and sets of which each is most of the policies take memory.
const mostSets = 256;

/**
 * Makes what says under which name Cedar has the policies that can be about a caller. Cedar looks at
 * each policy of a set for each decision; those that name other callers or groups in their scope
 * would be looked at in vain. A set is parsed when it is first asked for.
 */
export function makePolicySets(cedar: Cedar, name: string, byId: ReadonlyMap<string, string>) {
  const policies = [...byId].map(([id, text]) => ({ id, text, whom: whomOf(cedar, text) }));
  const idsOf = new WeakMap<object, string>(); // of a caller, by its one object
  const sets = new Map<string, string>(); // in the order in which they were made
  let made = 0;

  function idsAbout({ principal, entities }: CedarRequest): string {
    const known = idsOf.get(principal);
    if (known !== undefined) return known;
    const groups = entities[0]?.parents ?? [];
    const names = new Set([principal, ...groups].map((uid) => keyOf(uid)));
    const about = policies.filter(({ whom }) => whom === undefined || names.has(whom));
    const ids = JSON.stringify(about.map(({ id }) => id));
    idsOf.set(principal, ids);
    return ids;
  }

  /** @throws what Cedar says, when it does not take them */
  return (request: CedarRequest): string => {
    const ids = idsAbout(request);
    const known = sets.get(ids);
    if (known !== undefined) return known;
    const set = `${name}-${made++ % mostSets}`;
    const [oldest] = sets.keys();
    if (sets.size === mostSets && oldest !== undefined) sets.delete(oldest); // its name is taken over
    const staticPolicies = Object.fromEntries(
      (JSON.parse(ids) as string[]).map((id) => [id, byId.get(id) ?? '']),
    );
    const answer = cedar.preparsePolicySet(set, { staticPolicies });
    if (answer.type === 'failure') throw new Error(answer.errors[0]?.message);
    sets.set(ids, set);
    return set;
  };
}

/** The one caller or group a policy is about by its scope; undefined when it may be about anybody. */
function whomOf(cedar: Cedar, text: string): string | undefined {
  const parsed = cedar.policyToJson(text);
  if (parsed.type === 'failure') return undefined;
  const { principal } = parsed.json;
  const uid = uidOf(principal);
  return uid && keyOf(uid);
}

function uidOf(scope: PrincipalConstraint): CedarRequest['principal'] | undefined {
  if (scope.op === 'is') return scope.in && 'entity' in scope.in ? scope.in.entity : undefined;
  return scope.op !== 'All' && 'entity' in scope ? scope.entity : undefined;
}

function keyOf(uid: CedarRequest['principal']): string {
  const { type, id } = '__entity' in uid ? uid.__entity : uid;
  return `${type} ${id}`;
}
