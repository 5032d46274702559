import type {
  ActionConstraint,
  EntityUidJson,
  PolicyJson,
  PrincipalConstraint,
  ResourceConstraint,
} from '@cedar-policy/cedar-wasm/nodejs';

import { evictOldest } from '#caching/bounded-map.ts';
import type { Principal } from '../../principal.ts';
import { type Action, actions } from '../action.ts';
import { callerUid, groupUid, type Uid } from './cedar-request.ts';
import type { Cedar } from './parse-policies.ts';

/** The policies that can be about a caller. */
export interface PolicySet {
  /** The name Cedar has them under. @throws what Cedar says, when it does not take them */
  name(): string;
  /** Whether any of them looks at this of a question; what none looks at makes no difference. */
  dependsOn(aspect: string): boolean;
  /** Whether any of them may permit this action, in whatever circumstances; at a target of this name, if given. */
  mayPermit(action: Action, target?: string): boolean;
}

// A set is a few policies, and mostly one for each team. Fewer, and the requests of many teams have
// theirs parsed again and again; more, and sets of which each is most of the policies take memory.
const maxSets = 256;

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
    evictOldest(names, maxSets - 1); // the new set takes over the name of the oldest
    const name = `${prefix}-${parsed++ % maxSets}`;
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
    const heeded = new Set(about.flatMap(({ dependsOn }) => dependsOn));
    return {
      name: () => parse(ids),
      dependsOn: (aspect) => heeded.has(everything) || heeded.has(aspect),
      mayPermit: (action, target) => about.some(({ permits }) => permits(action, target)),
    };
  }

  return (principal: Principal): PolicySet => {
    const set = setOf.get(principal) ?? makeSet(principal);
    setOf.set(principal, set);
    return set;
  };
}

/** All of a question. */
const everything = '*';
/** The log group, beside the circumstances. */
const logGroup = 'logGroupName';

/** What a policy is about, read off its syntax tree. */
interface About {
  /** Whom it can be about; undefined is anybody. */
  whom: string | undefined;
  /** The circumstances it looks at, and whether it looks at the log group. */
  dependsOn: string[];
  /** Whether its scope lets it permit an action, at a target if one is given. */
  permits: (action: Action, target?: string) => boolean;
}

function aboutOf(cedar: Cedar, text: string): About {
  const parsed = cedar.policyToJson(text);
  if (parsed.type === 'failure') {
    return { whom: undefined, dependsOn: [everything], permits: () => true };
  }
  const { effect, principal, action, resource, conditions }: PolicyJson = parsed.json;
  const uid = uidOf(principal);
  return {
    whom: uid && keyOf(uid),
    dependsOn: [...heededIn(conditions), ...(isOfAnyLogGroup(resource) ? [] : [logGroup])],
    permits: (asked, target) =>
      effect === 'permit' && isOfAction(action, asked) && canBeAt(resource, target),
  };
}

function isOfAction(scope: ActionConstraint, action: Action): boolean {
  if (scope.op === 'All') return true;
  const named = 'entities' in scope ? scope.entities : 'entity' in scope ? [scope.entity] : [];
  return named.map(idOf).some((id) => id === action || id === actions[action]);
}

// A scope that names a log group may be of any target.
function canBeAt(scope: ResourceConstraint, target: string | undefined): boolean {
  const place = scope.op === 'is' ? scope.in : scope.op === 'All' ? undefined : scope;
  if (!place || !('entity' in place)) return true;
  const { type, id } = plain(place.entity);
  return target === undefined || type !== 'Target' || id === target;
}

/** Whether a scope takes all log groups of a target alike. */
function isOfAnyLogGroup(scope: ResourceConstraint): boolean {
  const place = scope.op === 'is' ? scope.in : scope;
  if (place === undefined || ('op' in place && place.op === 'All')) return true;
  return 'entity' in place && plain(place.entity).type === 'Target';
}

function uidOf(scope: PrincipalConstraint): Uid | undefined {
  if (scope.op === 'is') return scope.in && 'entity' in scope.in ? scope.in.entity : undefined;
  return scope.op !== 'All' && 'entity' in scope ? scope.entity : undefined;
}

const plain = (uid: EntityUidJson) => ('__entity' in uid ? uid.__entity : uid);
const idOf = (uid: EntityUidJson) => plain(uid).id;

function keyOf(uid: Uid): string {
  const { type, id } = plain(uid);
  return `${type} ${id}`;
}

/**
 * The members of the context that an expression looks at, and the log group if it looks at anything of
 * the resource, read off its syntax tree.
 */
function heededIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  if ('Var' in node && typeof node.Var === 'string') {
    // A record may have a member of this name; that of a variable is text.
    return { context: [everything], resource: [logGroup] }[node.Var] ?? [];
  }
  return Object.entries(node).flatMap(([operator, operand]) => {
    const { left, attr } = (operand ?? {}) as {
      left?: { Var?: unknown };
      attr?: string | string[];
    };
    const isOfContext = (operator === '.' || operator === 'has') && left?.Var === 'context';
    return isOfContext && attr !== undefined ? [[attr].flat()[0] ?? everything] : heededIn(operand);
  });
}
