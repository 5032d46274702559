import type { PolicyJson, PrincipalConstraint } from '@cedar-policy/cedar-wasm/nodejs';

import type { Principal } from '../../principal.ts';
import { type Action, actions } from '../action.ts';
import { callerUid, groupUid, type Uid } from './cedar-request.ts';
import type { Cedar } from './parse-policies.ts';

/** The policies that can be about a caller. */
export interface PolicySet {
  /** The name Cedar has them under. @throws what Cedar says, when it does not take them */
  name(): string;
  /** Whether any of them looks at this circumstance; the others make no difference. */
  heeds(circumstance: string): boolean;
  /** Whether any of them may permit this action, in whatever circumstances. */
  mayPermit(action: Action): boolean;
}

// A set is a few policies, and mostly one for each team. Fewer, and the requests of many teams have
// theirs parsed again and again; more, and sets of which each is most of the policies take memory.
const mostSets = 256;

/**
 * Makes what says which policies can be about a caller. Cedar looks at each policy of a set for each
 * decision; those that name other callers or groups in their scope would be looked at in vain. A set
 * is parsed when it is first asked for.
 */
export function makePolicySets(cedar: Cedar, prefix: string, byId: ReadonlyMap<string, string>) {
  const policies = [...byId].map(([id, text]) => ({ id, text, ...aboutOf(cedar, text) }));
  const setOf = new WeakMap<Principal, PolicySet>();
  const names = new Map<string, string>(); // of sets that are parsed, in the order they were
  let parsed = 0;

  function parse(ids: string): string {
    const known = names.get(ids);
    if (known !== undefined) return known;
    const [oldest] = names.keys();
    if (names.size === mostSets && oldest !== undefined) names.delete(oldest); // its name is taken over
    const name = `${prefix}-${parsed++ % mostSets}`;
    const staticPolicies = Object.fromEntries(
      (JSON.parse(ids) as string[]).map((id) => [id, byId.get(id) ?? '']),
    );
    const answer = cedar.preparsePolicySet(name, { staticPolicies });
    if (answer.type === 'failure') throw new Error(answer.errors[0]?.message);
    names.set(ids, name);
    return name;
  }

  function makeSet(principal: Principal): PolicySet {
    const uids = [
      callerUid(principal),
      ...principal.groups.map((group) => groupUid(principal, group)),
    ];
    const own = new Set(uids.map(keyOf));
    const about = policies.filter(({ whom }) => whom === undefined || own.has(whom));
    const ids = JSON.stringify(about.map(({ id }) => id));
    const heeded = new Set(about.flatMap(({ heeds }) => heeds));
    const permitted = new Set(about.flatMap(({ permits }) => permits));
    return {
      name: () => parse(ids),
      heeds: (circumstance) => heeded.has(everything) || heeded.has(circumstance),
      mayPermit: (action) =>
        [everything, action, actions[action]].some((name) => permitted.has(name)),
    };
  }

  return (principal: Principal): PolicySet => {
    const set = setOf.get(principal) ?? makeSet(principal);
    setOf.set(principal, set);
    return set;
  };
}

/** All circumstances, or all actions. */
const everything = '*';

/** What a policy is about, read off its syntax tree. */
interface About {
  /** Whom it can be about; undefined is anybody. */
  whom: string | undefined;
  /** The circumstances it looks at. */
  heeds: string[];
  /** The actions, and the groups of actions, it may permit. */
  permits: string[];
}

function aboutOf(cedar: Cedar, text: string): About {
  const parsed = cedar.policyToJson(text);
  if (parsed.type === 'failure') {
    return { whom: undefined, heeds: [everything], permits: [everything] };
  }
  const { principal, conditions }: PolicyJson = parsed.json;
  const uid = uidOf(principal);
  return { whom: uid && keyOf(uid), heeds: heededIn(conditions), permits: permitsOf(parsed.json) };
}

function permitsOf({ effect, action }: PolicyJson): string[] {
  if (effect === 'forbid') return [];
  if (action.op === 'All') return [everything];
  const entities =
    'entities' in action ? action.entities : 'entity' in action ? [action.entity] : [];
  return entities.map((uid) => ('__entity' in uid ? uid.__entity.id : uid.id));
}

function uidOf(scope: PrincipalConstraint): Uid | undefined {
  if (scope.op === 'is') return scope.in && 'entity' in scope.in ? scope.in.entity : undefined;
  return scope.op !== 'All' && 'entity' in scope ? scope.entity : undefined;
}

function keyOf(uid: Uid): string {
  const { type, id } = '__entity' in uid ? uid.__entity : uid;
  return `${type} ${id}`;
}

/** The members of the context that an expression looks at, read off its syntax tree. */
function heededIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  if ('Var' in node) return node.Var === 'context' ? [everything] : [];
  return Object.entries(node).flatMap(([operator, operand]) => {
    const { left, attr } = (operand ?? {}) as {
      left?: { Var?: unknown };
      attr?: string | string[];
    };
    const isOfContext = (operator === '.' || operator === 'has') && left?.Var === 'context';
    return isOfContext && attr !== undefined ? [[attr].flat()[0] ?? everything] : heededIn(operand);
  });
}
